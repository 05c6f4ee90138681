//! Defining, starting, stopping and forgetting domains.

/// Hands the operations of [`DomainLifecycle`](super::DomainLifecycle) to the macro `$reader`.
macro_rules! domain_lifecycle_operations {
    ($reader:ident) => {
        $reader! {
            /// Defining, starting, stopping and forgetting domains.
            trait DomainLifecycle in domains, on REMOTE_PROGRAM {
                /// `virDomainCreateXML`.
                10 write virDomainCreateXML fn create_xml(xml: &str, flags: u32) -> DomainRef;
                /// `virDomainReboot`.
                27 write virDomainReboot fn reboot(domain: &DomainRef, flags: u32) -> ();
                /// `virDomainResume`.
                28 write virDomainResume fn resume(domain: &DomainRef) -> ();
                /// `virDomainSetAutostart`.
                29 write virDomainSetAutostart fn set_autostart(domain: &DomainRef, autostart: bool) -> ();
                /// `virDomainSuspend`.
                34 write virDomainSuspend fn suspend(domain: &DomainRef) -> ();
                /// `virDomainCreateWithFlags`.
                196 write virDomainCreateWithFlags fn create(domain: &DomainRef, flags: u32) -> DomainRef;
                /// `virDomainUndefineFlags`.
                231 write virDomainUndefineFlags fn undefine(domain: &DomainRef, flags: u32) -> ();
                /// `virDomainDestroyFlags`.
                234 write virDomainDestroyFlags fn destroy(domain: &DomainRef, flags: u32) -> ();
                /// `virDomainReset`.
                245 write virDomainReset fn reset(domain: &DomainRef, flags: u32) -> ();
                /// `virDomainShutdownFlags`.
                258 write virDomainShutdownFlags fn shutdown(domain: &DomainRef, flags: u32) -> ();
                /// `virDomainPMSuspendForDuration`.
                261 write virDomainPMSuspendForDuration fn pm_suspend_for_duration(domain: &DomainRef, target: u32, duration: u64, flags: u32) -> ();
                /// `virDomainSetMetadata`.
                264 write virDomainSetMetadata fn set_metadata(domain: &DomainRef, kind: i32, metadata: Option<&str>, key: Option<&str>, uri: Option<&str>, flags: u32) -> ();
                /// `virDomainPMWakeup`.
                267 write virDomainPMWakeup fn pm_wakeup(domain: &DomainRef, flags: u32) -> ();
                /// `virDomainDefineXMLFlags`.
                350 write virDomainDefineXMLFlags fn define_xml(xml: &str, flags: u32) -> DomainRef;
                /// `virDomainRename`.
                358 write virDomainRename fn rename(domain: &DomainRef, new_name: Option<&str>, flags: u32) -> i32;
                /// `virDomainSetLifecycleAction`.
                390 write virDomainSetLifecycleAction fn set_lifecycle_action(domain: &DomainRef, kind: u32, action: u32, flags: u32) -> ();
                /// `virDomainSetLaunchSecurityState`.
                439 write virDomainSetLaunchSecurityState fn set_launch_security_state(domain: &DomainRef, params: &[TypedParam], flags: u32) -> ();
                /// `virDomainSetAutostartOnce`.
                450 write virDomainSetAutostartOnce fn set_autostart_once(domain: &DomainRef, autostart: bool) -> ();
            }
        }
    };
}
pub(crate) use domain_lifecycle_operations;
