//! What reaches into the guest: its agent, its keyboard, its clock.

use super::{QemuConnection, check_flags, keys};
use crate::backend::DomainGuest;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::*;
use crate::qemud::vm::agent;
use serde_json::{Value, json};

/// The most keys that are pressed together.
const KEYS_MAX: usize = 16;

impl DomainGuest for QemuConnection {
    fn inject_nmi(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(flags, 0, "virDomainInjectNMI")?;
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainInjectNMI")?;
        guest.monitor()?.query("inject-nmi")?;
        Ok(())
    }

    fn send_key(
        &self,
        domain: &DomainRef,
        codeset: u32,
        holdtime: u32,
        keycodes: &[u32],
        flags: u32,
    ) -> Result<()> {
        check_flags(flags, 0, "virDomainSendKey")?;
        if keycodes.len() > KEYS_MAX {
            let detail = format!("nkeycodes in virDomainSendKey must be less than or equal to {KEYS_MAX}");
            return Err(Error::invalid_argument(detail));
        }
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainSendKey")?;
        let monitor = guest.monitor()?;
        let numbers =
            keycodes.iter().map(|code| keys::to_qemu(codeset, *code)).collect::<Result<Vec<_>>>()?;
        let pressed: Vec<Value> = numbers.iter().map(|n| json!({ "type": "number", "data": n })).collect();
        let mut arguments = json!({ "keys": pressed });
        if holdtime > 0 {
            arguments["hold-time"] = json!(holdtime);
        }
        monitor.execute("send-key", arguments)?;
        Ok(())
    }

    fn hostname(&self, domain: &DomainRef, flags: u32) -> Result<String> {
        check_flags(flags, DOMAIN_GET_HOSTNAME_LEASE | DOMAIN_GET_HOSTNAME_AGENT, "virDomainGetHostname")?;
        let guest = self.find(domain)?;
        let answer = agent::execute(&guest, "guest-get-host-name", Value::Null, None)?;
        let name = answer.get("host-name").and_then(Value::as_str);
        name.map(str::to_string)
            .ok_or_else(|| Error::internal("'host-name' missing in reply of guest-get-host-name"))
    }

    fn fstrim(&self, domain: &DomainRef, mount_point: Option<&str>, minimum: u64, flags: u32) -> Result<()> {
        check_flags(flags, 0, "virDomainFSTrim")?;
        if mount_point.is_some() {
            let detail = "Specifying mount point is not supported for now";
            return Err(Error::new(ErrorCode::ARGUMENT_UNSUPPORTED, detail).from_origin(ErrorOrigin::QEMU));
        }
        let guest = self.find(domain)?;
        agent::execute(&guest, "guest-fstrim", json!({ "minimum": minimum }), None)?;
        Ok(())
    }

    fn fsfreeze(&self, domain: &DomainRef, mountpoints: &[String], flags: u32) -> Result<i32> {
        check_flags(flags, 0, "virDomainFSFreeze")?;
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainFSFreeze")?;
        let frozen = if mountpoints.is_empty() {
            agent::execute(&guest, "guest-fsfreeze-freeze", Value::Null, None)?
        } else {
            agent::execute(&guest, "guest-fsfreeze-freeze-list", json!({ "mountpoints": mountpoints }), None)?
        };
        Ok(count(&frozen))
    }

    fn fsthaw(&self, domain: &DomainRef, mountpoints: &[String], flags: u32) -> Result<i32> {
        check_flags(flags, 0, "virDomainFSThaw")?;
        if !mountpoints.is_empty() {
            let detail = "specifying mountpoints is not supported";
            return Err(Error::new(ErrorCode::ARGUMENT_UNSUPPORTED, detail).from_origin(ErrorOrigin::QEMU));
        }
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainFSThaw")?;
        Ok(count(&agent::execute(&guest, "guest-fsfreeze-thaw", Value::Null, None)?))
    }

    fn time(&self, domain: &DomainRef, flags: u32) -> Result<(i64, u32)> {
        check_flags(flags, 0, "virDomainGetTime")?;
        let guest = self.find(domain)?;
        let answer = agent::execute(&guest, "guest-get-time", Value::Null, None)?;
        let nanoseconds = answer.as_i64();
        let nanoseconds = nanoseconds.ok_or_else(|| Error::internal("malformed return value"))?;
        let rest = u32::try_from(nanoseconds.rem_euclid(1_000_000_000)).unwrap_or(0);
        Ok((nanoseconds.div_euclid(1_000_000_000), rest))
    }

    fn set_time(&self, domain: &DomainRef, seconds: i64, nseconds: u32, flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_TIME_SYNC, "virDomainSetTime")?;
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainSetTime")?;
        let arguments = if flags & DOMAIN_TIME_SYNC != 0 {
            Value::Null
        } else {
            let time =
                seconds.checked_mul(1_000_000_000).and_then(|time| time.checked_add(i64::from(nseconds)));
            let time = time.ok_or_else(|| {
                Error::invalid_argument(format!("Time '{seconds}' is too big for guest agent"))
            })?;
            json!({ "time": time })
        };
        agent::execute(&guest, "guest-set-time", arguments, None)?;
        // An emulated clock does not catch up with lost ticks then; a machine without one does not mind.
        let _ = guest.monitor()?.query("rtc-reset-reinjection");
        Ok(())
    }

    fn fsinfo(&self, domain: &DomainRef, flags: u32) -> Result<Vec<FilesystemInfo>> {
        check_flags(flags, 0, "virDomainGetFSInfo")?;
        let guest = self.find(domain)?;
        let definition = guest.lock().running()?.definition.clone();
        let answer = agent::execute(&guest, "guest-get-fsinfo", Value::Null, None)?;
        let tree = definition.tree()?;
        let filesystems = answer.as_array().into_iter().flatten().map(|filesystem| {
            let text = |field: &str| filesystem.get(field).and_then(Value::as_str).unwrap_or("").to_string();
            let disks = filesystem.get("disk").and_then(Value::as_array).into_iter().flatten();
            FilesystemInfo {
                mountpoint: text("mountpoint"),
                name: text("name"),
                kind: text("type"),
                devices: disks.filter_map(|disk| target_of(&tree, disk)).collect(),
            }
        });
        Ok(filesystems.collect())
    }

    fn interface_addresses(
        &self,
        domain: &DomainRef,
        source: u32,
        flags: u32,
    ) -> Result<Vec<GuestInterface>> {
        check_flags(flags, 0, "virDomainInterfaceAddresses")?;
        let guest = self.find(domain)?;
        super::interface_addresses::addresses(&guest, source)
    }

    fn set_user_password(
        &self,
        domain: &DomainRef,
        user: Option<&str>,
        password: Option<&str>,
        flags: u32,
    ) -> Result<()> {
        check_flags(flags, 1, "virDomainSetUserPassword")?;
        let guest = self.find(domain)?;
        let arguments = json!({
            "username": user.unwrap_or(""),
            "password": base64(password.unwrap_or("").as_bytes()),
            "crypted": flags & 1 != 0,
        });
        agent::execute(&guest, "guest-set-user-password", arguments, None)?;
        Ok(())
    }

    fn guest_info(&self, domain: &DomainRef, types: u32, flags: u32) -> Result<Vec<TypedParam>> {
        check_flags(flags, 0, "virDomainGetGuestInfo")?;
        super::guest_facts::facts(&*self.find(domain)?, types)
    }

    fn agent_set_response_timeout(&self, domain: &DomainRef, timeout: i32, flags: u32) -> Result<i32> {
        check_flags(flags, 0, "virDomainAgentSetResponseTimeout")?;
        check_patience(timeout)?;
        self.find(domain)?.lock().running_mut()?.agent_patience = timeout;
        Ok(0)
    }

    fn authorized_ssh_keys_get(&self, domain: &DomainRef, user: &str, flags: u32) -> Result<Vec<String>> {
        check_flags(flags, 0, "virDomainAuthorizedSSHKeysGet")?;
        let guest = self.find(domain)?;
        let asked = json!({ "username": user });
        let answer = agent::execute(&guest, "guest-ssh-get-authorized-keys", asked, None)?;
        let keys = answer.get("keys").and_then(Value::as_array).into_iter().flatten();
        Ok(keys.filter_map(Value::as_str).map(str::to_string).collect())
    }

    fn authorized_ssh_keys_set(
        &self,
        domain: &DomainRef,
        user: &str,
        keys: &[String],
        flags: u32,
    ) -> Result<()> {
        let known = DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND | DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE;
        check_flags(flags, known, "virDomainAuthorizedSSHKeysSet")?;
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainAuthorizedSSHKeysSet")?;
        let mut arguments = json!({ "username": user, "keys": keys });
        let command = if flags & DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE != 0 {
            "guest-ssh-remove-authorized-keys"
        } else {
            arguments["reset"] = json!(flags & DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND == 0);
            "guest-ssh-add-authorized-keys"
        };
        agent::execute(&guest, command, arguments, None)?;
        Ok(())
    }
}

/// Refuses what is no time for an agent to answer in.
pub fn check_patience(seconds: i32) -> Result<()> {
    if seconds >= DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK {
        return Ok(());
    }
    let detail = format!("guest agent timeout '{seconds}' is less than the minimum '-2'");
    Err(Error::invalid_argument(detail).from_origin(ErrorOrigin::QEMU))
}

fn count(answer: &Value) -> i32 {
    answer.as_i64().and_then(|count| i32::try_from(count).ok()).unwrap_or(0)
}

/// The target of the disk a guest means by its PCI address and place on the bus.
pub fn target_of(tree: &crate::xml::Element, disk: &Value) -> Option<String> {
    let number = |path: &str| disk.pointer(path).and_then(Value::as_u64);
    let hex = |text: Option<&str>| u64::from_str_radix(text?.trim_start_matches("0x"), 16).ok();
    let serial = disk.get("serial").and_then(Value::as_str).filter(|serial| !serial.is_empty());
    let found = super::stats::disks(tree).find(|known| {
        if serial.is_some() && known.child_text("serial").as_deref() == serial {
            return true;
        }
        let Some(address) = known.child("address") else {
            return false;
        };
        match address.attribute("type") {
            Some("pci") => {
                hex(address.attribute("bus")) == number("/pci-controller/bus")
                    && hex(address.attribute("slot")) == number("/pci-controller/slot")
                    && hex(address.attribute("function")) == number("/pci-controller/function")
            }
            _ => false,
        }
    });
    found.and_then(|disk| disk.child_attribute("target", "dev")).map(str::to_string)
}

/// Base64 with padding, as the agent takes passwords.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0u32, |bits, at| bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_pads() {
        let all: Vec<_> =
            ["", "f", "fo", "foo", "foob"].iter().map(|text| super::base64(text.as_bytes())).collect();
        assert_eq!(all, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }
}
