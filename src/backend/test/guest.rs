//! What reaches into the guest: there is none, so this driver answers in its place.

use super::*;
use super::{definition, screenshot, stats};
use crate::model::constants::*;
use crate::xml::Element;

/// The filesystems of every guest: where they are mounted and which partition they lie on.
const FILESYSTEMS: [(&str, u32); 2] = [("/", 1), ("/boot", 2)];
/// The type of every filesystem.
const FILESYSTEM_TYPE: &str = "ext4";
/// The length of an address's prefix.
const PREFIX: u32 = 24;
/// The highest number of a signal.
const SIGNAL_MAX: u32 = 64;

/// The place of a mountpoint among the guest's filesystems.
fn filesystem(mountpoint: &str) -> Result<usize> {
    let found = FILESYSTEMS.iter().position(|(known, _)| *known == mountpoint);
    found.ok_or_else(|| Error::invalid_operation(format!("mount point not found: {mountpoint}")))
}

impl TestConnection {
    /// Freezes or thaws filesystems, all if none is named; the answer is how many changed.
    fn set_frozen(&self, domain: &DomainRef, mountpoints: &[String], frozen: bool) -> Result<i32> {
        let mut state = self.state();
        let guest = state.active_mut(domain)?;
        let places = mountpoints.iter().map(|mountpoint| filesystem(mountpoint));
        let mut places = places.collect::<Result<Vec<_>>>()?;
        if places.is_empty() {
            places = (0..FILESYSTEMS.len()).collect();
        }
        let mut changed = 0;
        for place in places {
            if guest.frozen[place] != frozen {
                guest.frozen[place] = frozen;
                changed += 1;
            }
        }
        Ok(changed)
    }
}

/// A clock that stands cannot be read.
fn expect_running(guest: &super::state::Guest) -> Result<()> {
    match guest.state.state {
        DOMAIN_RUNNING => Ok(()),
        _ => Err(Error::invalid_operation("domain is not running")),
    }
}

impl DomainGuest for TestConnection {
    fn inject_nmi(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testDomainInjectNMI")?;
        self.state().active(domain).map(|_| ())
    }

    fn send_key(&self, domain: &DomainRef, _: u32, _: u32, keycodes: &[u32], flags: u32) -> Result<()> {
        only_flags(flags, 0, "testDomainSendKey")?;
        let state = self.state();
        state.active(domain)?;
        match keycodes.iter().find(|code| **code > u32::from(u16::MAX)) {
            Some(code) => Err(Error::invalid_argument(format!("invalid keycode: '{code}'"))),
            None => Ok(()),
        }
    }

    fn hostname(&self, domain: &DomainRef, flags: u32) -> Result<String> {
        only_flags(flags, 0, "testDomainGetHostname")?;
        Ok(format!("{}host", self.state().active(domain)?.name))
    }

    fn fstrim(&self, domain: &DomainRef, mount_point: Option<&str>, _: u64, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testDomainFSTrim")?;
        self.state().active(domain)?;
        mount_point.map_or(Ok(()), |mount_point| filesystem(mount_point).map(|_| ()))
    }

    fn send_process_signal(&self, domain: &DomainRef, pid: i64, signum: u32, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testDomainSendProcessSignal")?;
        if pid == 0 {
            return Err(bare("pid_value in virDomainSendProcessSignal must not be zero".to_string()));
        }
        if pid != 1 {
            return Err(Error::invalid_argument("only sending a signal to pid 1 is supported"));
        }
        if signum > SIGNAL_MAX {
            return Err(Error::invalid_argument(format!("signum value {signum} is out of range")));
        }
        // No process is there to get it, whether the domain runs or not.
        self.state().guest(domain).map(|_| ())
    }

    fn fsfreeze(&self, domain: &DomainRef, mountpoints: &[String], flags: u32) -> Result<i32> {
        only_flags(flags, 0, "testDomainFSFreeze")?;
        self.set_frozen(domain, mountpoints, true)
    }

    fn fsthaw(&self, domain: &DomainRef, mountpoints: &[String], flags: u32) -> Result<i32> {
        only_flags(flags, 0, "testDomainFSThaw")?;
        self.set_frozen(domain, mountpoints, false)
    }

    fn time(&self, domain: &DomainRef, flags: u32) -> Result<(i64, u32)> {
        only_flags(flags, 0, "testDomainGetTime")?;
        let state = self.state();
        let guest = state.active(domain)?;
        expect_running(guest)?;
        Ok(guest.clock)
    }

    fn set_time(&self, domain: &DomainRef, seconds: i64, nanoseconds: u32, flags: u32) -> Result<()> {
        only_flags(flags, DOMAIN_TIME_SYNC, "testDomainSetTime")?;
        let mut state = self.state();
        let guest = state.active_mut(domain)?;
        guest.clock = (seconds, nanoseconds);
        Ok(())
    }

    fn fsinfo(&self, domain: &DomainRef, flags: u32) -> Result<Vec<FilesystemInfo>> {
        only_flags(flags, 0, "testDomainGetFSInfo")?;
        let state = self.state();
        let guest = state.active(domain)?;
        // The first hard disk holds them all.
        let is_disk = |disk: &&Element| disk.attribute("device").is_none_or(|device| device == "disk");
        let Some(disk) = definition::devices(&guest.current, "disk").find(is_disk) else {
            return Ok(Vec::new());
        };
        let target = disk.child_attribute("target", "dev").unwrap_or_default();
        let info = |(mountpoint, partition): (&str, u32)| FilesystemInfo {
            mountpoint: mountpoint.to_string(),
            name: format!("{target}{partition}"),
            kind: FILESYSTEM_TYPE.to_string(),
            devices: vec![target.to_string()],
        };
        Ok(FILESYSTEMS.map(info).to_vec())
    }

    fn interface_addresses(
        &self,
        domain: &DomainRef,
        _source: u32,
        flags: u32,
    ) -> Result<Vec<GuestInterface>> {
        only_flags(flags, 0, "testDomainInterfaceAddresses")?;
        let state = self.state();
        let guest = state.active(domain)?;
        let step = 20 * guest.id.unwrap_or(1).saturating_sub(1);
        let interfaces: Vec<&Element> = definition::devices(&guest.current, "interface").collect();
        let mut answer = Vec::with_capacity(interfaces.len());
        for (place, interface) in (1..).zip(interfaces) {
            let network = match interface.attribute("type") {
                Some("network") => interface.child_attribute("source", "network"),
                _ => None,
            };
            let given = match network {
                Some(network) => state.networks.guest_address(network, step + place)?,
                None => None,
            };
            let address = given.unwrap_or_else(|| GuestAddress {
                kind: IP_ADDR_TYPE_IPV4,
                address: format!("192.168.0.{place}"),
                prefix: PREFIX,
            });
            let attribute = |child, name| interface.child_attribute(child, name).map(str::to_string);
            answer.push(GuestInterface {
                name: attribute("target", "dev").unwrap_or_default(),
                mac: attribute("mac", "address"),
                addresses: vec![address],
            });
        }
        Ok(answer)
    }

    fn set_user_password(
        &self,
        domain: &DomainRef,
        _: Option<&str>,
        _: Option<&str>,
        flags: u32,
    ) -> Result<()> {
        only_flags(flags, DOMAIN_PASSWORD_ENCRYPTED, "testDomainSetUserPassword")?;
        self.state().active(domain).map(|_| ())
    }
}

impl DomainStreams for TestConnection {
    fn screenshot(
        &self,
        domain: &DomainRef,
        _: u32,
        flags: u32,
    ) -> Result<(Option<String>, Box<dyn Stream>)> {
        only_flags(flags, 0, "testDomainScreenshot")?;
        self.state().guest(domain)?;
        Ok((Some("image/png".to_string()), Box::new(screenshot::Picture::new())))
    }
}

/// The clock of a guest until someone sets it.
pub(super) const CLOCK: (i64, u32) = (stats::LONG_AGO, 0);
