//! Attaching, changing and tuning the devices of a domain.

/// Hands the operations of [`DomainDevices`](super::DomainDevices) to the macro `$reader`.
macro_rules! domain_devices_operations {
    ($reader:ident) => {
        $reader! {
            /// Attaching, changing and tuning the devices of a domain.
            trait DomainDevices in domains, on REMOTE_PROGRAM {
                /// Adds a device, to the running domain, the definition, or both. (`virDomainAttachDeviceFlags`)
                160 write virDomainAttachDeviceFlags fn attach_device(domain: &DomainRef, xml: &str, flags: u32) -> ();
                /// Removes a device; the guest may take its time to let it go. (`virDomainDetachDeviceFlags`)
                161 write virDomainDetachDeviceFlags fn detach_device(domain: &DomainRef, xml: &str, flags: u32) -> ();
                /// Changes a device in place: a medium, a link state, a password. (`virDomainUpdateDeviceFlags`)
                174 write virDomainUpdateDeviceFlags fn update_device(domain: &DomainRef, xml: &str, flags: u32) -> ();
                /// Resizes a disk while the guest runs; KiB, or bytes by the flags. (`virDomainBlockResize`)
                251 write virDomainBlockResize fn block_resize(domain: &DomainRef, disk: &str, size: u64, flags: u32) -> ();
                /// Limits a disk's throughput. (`virDomainSetBlockIoTune`)
                252 write virDomainSetBlockIoTune fn set_block_io_tune(domain: &DomainRef, disk: &str, params: &[TypedParam], flags: u32) -> ();
                /// The limits of a disk's throughput. (`virDomainGetBlockIoTune`)
                253 read virDomainGetBlockIoTune fn block_io_tune(domain: &DomainRef, disk: Option<&str>) [32] (flags: u32) -> Counted<TypedParam>;
                /// Limits an interface's bandwidth. (`virDomainSetInterfaceParameters`)
                256 write virDomainSetInterfaceParameters fn set_interface_parameters(domain: &DomainRef, device: &str, params: &[TypedParam], flags: u32) -> ();
                /// The limits of an interface's bandwidth. (`virDomainGetInterfaceParameters`)
                257 read virDomainGetInterfaceParameters fn interface_parameters(domain: &DomainRef, device: &str) [16] (flags: u32) -> Counted<TypedParam>;
                /// Asks for an event when a disk's file grows over so many bytes. (`virDomainSetBlockThreshold`)
                386 write virDomainSetBlockThreshold fn set_block_threshold(domain: &DomainRef, device: &str, threshold: u64, flags: u32) -> ();
                /// Removes the device of an alias; answers before the guest let it go. (`virDomainDetachDeviceAlias`)
                392 write virDomainDetachDeviceAlias fn detach_device_alias(domain: &DomainRef, alias: &str, flags: u32) -> ();
                /// Makes a graphics server read its certificates again. (`virDomainGraphicsReload`)
                448 write virDomainGraphicsReload fn graphics_reload(domain: &DomainRef, kind: u32, flags: u32) -> ();
                /// Makes or changes a group of limits that disks share. (`virDomainSetThrottleGroup`)
                451 write virDomainSetThrottleGroup fn set_throttle_group(domain: &DomainRef, group: &str, params: &[TypedParam], flags: u32) -> ();
                /// Removes a group of limits that no disk uses. (`virDomainDelThrottleGroup`)
                452 write virDomainDelThrottleGroup fn del_throttle_group(domain: &DomainRef, group: Option<&str>, flags: u32) -> ();
            }
        }
    };
}
pub(crate) use domain_devices_operations;
