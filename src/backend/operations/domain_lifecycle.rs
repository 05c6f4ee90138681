//! Defining, starting, stopping and forgetting domains.

/// Hands the operations of [`DomainLifecycle`](super::DomainLifecycle) to the macro `$reader`.
macro_rules! domain_lifecycle_operations {
    ($reader:ident) => {
        $reader! {
            /// Defining, starting, stopping and forgetting domains.
            trait DomainLifecycle in domains, on REMOTE_PROGRAM {
                /// Starts a transient domain; nothing remains of it when it stops. (`virDomainCreateXML`)
                10 write virDomainCreateXML fn create_xml(xml: &str, flags: u32) -> DomainRef;
                /// Asks the guest to reboot; answers before it did. (`virDomainReboot`)
                27 write virDomainReboot fn reboot(domain: &DomainRef, flags: u32) -> ();
                /// Lets the guest's CPUs run again; running already is success. (`virDomainResume`)
                28 write virDomainResume fn resume(domain: &DomainRef) -> ();
                /// Makes the domain start with the node, or not. Only persistent domains can. (`virDomainSetAutostart`)
                29 write virDomainSetAutostart fn set_autostart(domain: &DomainRef, autostart: bool) -> ();
                /// Freezes the guest's CPUs; its memory stays. Paused already is success. (`virDomainSuspend`)
                34 write virDomainSuspend fn suspend(domain: &DomainRef) -> ();
                /// Starts a defined domain. A managed save image is restored and then removed. (`virDomainCreateWithFlags`)
                196 write virDomainCreateWithFlags fn create(domain: &DomainRef, flags: u32) -> DomainRef;
                /// Forgets the definition, and what the flags name; a running domain becomes transient. (`virDomainUndefineFlags`)
                231 write virDomainUndefineFlags fn undefine(domain: &DomainRef, flags: u32) -> ();
                /// Takes the power from the guest. Its definition stays. (`virDomainDestroyFlags`)
                234 write virDomainDestroyFlags fn destroy(domain: &DomainRef, flags: u32) -> ();
                /// Presses the reset button; the guest's CPUs go on. (`virDomainReset`)
                245 write virDomainReset fn reset(domain: &DomainRef, flags: u32) -> ();
                /// Asks the guest to shut down; answers before it did, and it may refuse. (`virDomainShutdownFlags`)
                258 write virDomainShutdownFlags fn shutdown(domain: &DomainRef, flags: u32) -> ();
                /// Asks the guest to sleep, for ever (0) or so many seconds. (`virDomainPMSuspendForDuration`)
                261 write virDomainPMSuspendForDuration fn pm_suspend_for_duration(domain: &DomainRef, target: u32, duration: u64, flags: u32) -> ();
                /// Changes title, description or the metadata of a namespace; `None` removes. (`virDomainSetMetadata`)
                264 write virDomainSetMetadata fn set_metadata(domain: &DomainRef, kind: i32, metadata: Option<&str>, key: Option<&str>, uri: Option<&str>, flags: u32) -> ();
                /// Wakes a sleeping guest. (`virDomainPMWakeup`)
                267 write virDomainPMWakeup fn pm_wakeup(domain: &DomainRef, flags: u32) -> ();
                /// Writes a definition, new or in place of the one with the same name and uuid. (`virDomainDefineXMLFlags`)
                350 write virDomainDefineXMLFlags fn define_xml(xml: &str, flags: u32) -> DomainRef;
                /// Gives an inactive domain another name, in one step. (`virDomainRename`)
                358 write virDomainRename fn rename(domain: &DomainRef, new_name: Option<&str>, flags: u32) -> i32;
                /// Changes what happens on poweroff, reboot or crash. (`virDomainSetLifecycleAction`)
                390 write virDomainSetLifecycleAction fn set_lifecycle_action(domain: &DomainRef, kind: u32, action: u32, flags: u32) -> ();
                /// Hands a secret to a confidential guest before it runs. (`virDomainSetLaunchSecurityState`)
                439 write virDomainSetLaunchSecurityState fn set_launch_security_state(domain: &DomainRef, params: &[TypedParam], flags: u32) -> ();
                /// Makes the domain start with the node the next time only. (`virDomainSetAutostartOnce`)
                450 write virDomainSetAutostartOnce fn set_autostart_once(domain: &DomainRef, autostart: bool) -> ();
            }
        }
    };
}
pub(crate) use domain_lifecycle_operations;
