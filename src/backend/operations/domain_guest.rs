//! What reaches into the guest: its agent, its keyboard, its clock.

/// Hands the operations of [`DomainGuest`](super::DomainGuest) to the macro `$reader`.
macro_rules! domain_guest_operations {
    ($reader:ident) => {
        $reader! {
            /// What reaches into the guest: its agent, its keyboard, its clock.
            trait DomainGuest in domains, on REMOTE_PROGRAM {
                /// `virDomainInjectNMI`.
                210 write virDomainInjectNMI fn inject_nmi(domain: &DomainRef, flags: u32) -> ();
                /// `virDomainSendKey`.
                226 write virDomainSendKey fn send_key(domain: &DomainRef, codeset: u32, holdtime: u32, keycodes: &[u32], flags: u32) -> ();
                /// `virDomainGetHostname`.
                277 write virDomainGetHostname fn hostname(domain: &DomainRef, flags: u32) -> String;
                /// `virDomainFSTrim`.
                294 write virDomainFSTrim fn fstrim(domain: &DomainRef, mount_point: Option<&str>, minimum: u64, flags: u32) -> ();
                /// `virDomainSendProcessSignal`.
                295 write virDomainSendProcessSignal fn send_process_signal(domain: &DomainRef, pid_value: i64, signum: u32, flags: u32) -> ();
                /// `virDomainFSFreeze`.
                335 write virDomainFSFreeze fn fsfreeze(domain: &DomainRef, mountpoints: &[String], flags: u32) -> i32;
                /// `virDomainFSThaw`.
                336 write virDomainFSThaw fn fsthaw(domain: &DomainRef, mountpoints: &[String], flags: u32) -> i32;
                /// `virDomainGetTime`.
                337 write virDomainGetTime fn time(domain: &DomainRef, flags: u32) -> (i64, u32);
                /// `virDomainSetTime`.
                338 write virDomainSetTime fn set_time(domain: &DomainRef, seconds: i64, nseconds: u32, flags: u32) -> ();
                /// `virDomainGetFSInfo`.
                349 write virDomainGetFSInfo fn fsinfo(domain: &DomainRef, flags: u32) -> Counted<FilesystemInfo>;
                /// `virDomainInterfaceAddresses`.
                353 read virDomainInterfaceAddresses fn interface_addresses(domain: &DomainRef, source: u32, flags: u32) -> Vec<GuestInterface>;
                /// `virDomainSetUserPassword`.
                357 write virDomainSetUserPassword fn set_user_password(domain: &DomainRef, user: Option<&str>, password: Option<&str>, flags: u32) -> ();
                /// `virDomainGetGuestInfo`.
                418 write virDomainGetGuestInfo fn guest_info(domain: &DomainRef, types: u32, flags: u32) -> Vec<TypedParam>;
                /// `virDomainAgentSetResponseTimeout`.
                420 write virDomainAgentSetResponseTimeout fn agent_set_response_timeout(domain: &DomainRef, timeout: i32, flags: u32) -> i32;
                /// `virDomainAuthorizedSSHKeysGet`.
                424 write virDomainAuthorizedSSHKeysGet fn authorized_ssh_keys_get(domain: &DomainRef, user: &str, flags: u32) -> Vec<String>;
                /// `virDomainAuthorizedSSHKeysSet`.
                425 write virDomainAuthorizedSSHKeysSet fn authorized_ssh_keys_set(domain: &DomainRef, user: &str, keys: &[String], flags: u32) -> ();
            }
        }
    };
}
pub(crate) use domain_guest_operations;
