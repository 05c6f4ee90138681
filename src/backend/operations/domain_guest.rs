//! What reaches into the guest: its agent, its keyboard, its clock.

/// Hands the operations of [`DomainGuest`](super::DomainGuest) to the macro `$reader`.
macro_rules! domain_guest_operations {
    ($reader:ident) => {
        $reader! {
            /// What reaches into the guest: its agent, its keyboard, its clock.
            trait DomainGuest in domains, on REMOTE_PROGRAM {
                /// Sends a non-maskable interrupt. (`virDomainInjectNMI`)
                210 write virDomainInjectNMI fn inject_nmi(domain: &DomainRef, flags: u32) -> ();
                /// Presses keys together for `holdtime` milliseconds, then lets go. (`virDomainSendKey`)
                226 write virDomainSendKey fn send_key(domain: &DomainRef, codeset: u32, holdtime: u32, keycodes: &[u32], flags: u32) -> ();
                /// The guest's own name for itself, by agent or lease. (`virDomainGetHostname`)
                277 write virDomainGetHostname fn hostname(domain: &DomainRef, flags: u32) -> String;
                /// Discards unused blocks of filesystems; `None` means all. (`virDomainFSTrim`)
                294 write virDomainFSTrim fn fstrim(domain: &DomainRef, mount_point: Option<&str>, minimum: u64, flags: u32) -> ();
                /// Sends a signal to a process of the guest. (`virDomainSendProcessSignal`)
                295 write virDomainSendProcessSignal fn send_process_signal(domain: &DomainRef, pid_value: i64, signum: u32, flags: u32) -> ();
                /// Freezes filesystems; none named means all. Answers with how many. (`virDomainFSFreeze`)
                335 write virDomainFSFreeze fn fsfreeze(domain: &DomainRef, mountpoints: &[String], flags: u32) -> i32;
                /// Thaws filesystems; none named means all. Answers with how many. (`virDomainFSThaw`)
                336 write virDomainFSThaw fn fsthaw(domain: &DomainRef, mountpoints: &[String], flags: u32) -> i32;
                /// The guest's clock: seconds and nanoseconds. (`virDomainGetTime`)
                337 write virDomainGetTime fn time(domain: &DomainRef, flags: u32) -> (i64, u32);
                /// Sets the guest's clock. (`virDomainSetTime`)
                338 write virDomainSetTime fn set_time(domain: &DomainRef, seconds: i64, nseconds: u32, flags: u32) -> ();
                /// The guest's mounted filesystems. (`virDomainGetFSInfo`)
                349 write virDomainGetFSInfo fn fsinfo(domain: &DomainRef, flags: u32) -> Counted<FilesystemInfo>;
                /// The guest's addresses from one source: leases, agent or ARP table. (`virDomainInterfaceAddresses`)
                353 read virDomainInterfaceAddresses fn interface_addresses(domain: &DomainRef, source: u32, flags: u32) -> Vec<GuestInterface>;
                /// Sets a user's password in the guest. (`virDomainSetUserPassword`)
                357 write virDomainSetUserPassword fn set_user_password(domain: &DomainRef, user: Option<&str>, password: Option<&str>, flags: u32) -> ();
                /// Whatever the guest's agent knows of the asked types. (`virDomainGetGuestInfo`)
                418 write virDomainGetGuestInfo fn guest_info(domain: &DomainRef, types: u32, flags: u32) -> Vec<TypedParam>;
                /// Sets how long the agent may take: seconds, or a negative special value. (`virDomainAgentSetResponseTimeout`)
                420 write virDomainAgentSetResponseTimeout fn agent_set_response_timeout(domain: &DomainRef, timeout: i32, flags: u32) -> i32;
                /// A user's authorized keys in the guest. (`virDomainAuthorizedSSHKeysGet`)
                424 write virDomainAuthorizedSSHKeysGet fn authorized_ssh_keys_get(domain: &DomainRef, user: &str, flags: u32) -> Vec<String>;
                /// Adds, replaces or removes a user's authorized keys in the guest. (`virDomainAuthorizedSSHKeysSet`)
                425 write virDomainAuthorizedSSHKeysSet fn authorized_ssh_keys_set(domain: &DomainRef, user: &str, keys: &[String], flags: u32) -> ();
            }
        }
    };
}
pub(crate) use domain_guest_operations;
