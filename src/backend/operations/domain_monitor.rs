//! The doors to QEMU itself: monitor and agent commands.

/// Hands the operations of [`DomainMonitor`](super::DomainMonitor) to the macro `$reader`.
macro_rules! domain_monitor_operations {
    ($reader:ident) => {
        $reader! {
            /// The doors to QEMU itself: monitor and agent commands.
            trait DomainMonitor in domains, on QEMU_PROGRAM {
                /// `virDomainQemuMonitorCommand`.
                1 write virDomainQemuMonitorCommand fn monitor_command(domain: &DomainRef, cmd: &str, flags: u32) -> String;
                /// `virDomainQemuAttach`.
                2 write virDomainQemuAttach fn attach(pid_value: u32, flags: u32) -> DomainRef;
                /// `virDomainQemuAgentCommand`.
                3 write virDomainQemuAgentCommand fn agent_command(domain: &DomainRef, cmd: &str, timeout: i32, flags: u32) -> Option<String>;
            }
        }
    };
}
pub(crate) use domain_monitor_operations;
