//! The doors to QEMU itself: monitor and agent commands.

/// Hands the operations of [`DomainMonitor`](super::DomainMonitor) to the macro `$reader`.
macro_rules! domain_monitor_operations {
    ($reader:ident) => {
        $reader! {
            /// The doors to QEMU itself: monitor and agent commands.
            trait DomainMonitor in domains, on QEMU_PROGRAM {
                /// Sends a command to QEMU's monitor: JSON, or a human one by the flags. (`virDomainQemuMonitorCommand`)
                1 write virDomainQemuMonitorCommand fn monitor_command(domain: &DomainRef, cmd: &str, flags: u32) -> String;
                /// Takes over a QEMU that somebody else started. (`virDomainQemuAttach`)
                2 write virDomainQemuAttach fn attach(pid_value: u32, flags: u32) -> DomainRef;
                /// Sends a JSON command to the guest's agent and waits `timeout` seconds. (`virDomainQemuAgentCommand`)
                3 write virDomainQemuAgentCommand fn agent_command(domain: &DomainRef, cmd: &str, timeout: i32, flags: u32) -> Option<String>;
            }
        }
    };
}
pub(crate) use domain_monitor_operations;
