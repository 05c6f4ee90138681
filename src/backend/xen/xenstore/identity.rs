//! Which domains the store knows, and what they are called.

use super::client::Xenstore;
use super::value::Value;
use crate::error::Result;
use uuid::Uuid;

/// Where the domains are.
const DOMAINS: &str = "/local/domain";
/// The length of a uuid's text.
const UUID_LENGTH: usize = 36;

/// A domain as the store names it. Old toolstacks let a guest write both, so where the hypervisor can be asked, its
/// uuid counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id.
    pub id: u32,
    /// Its name; `None` when there is none, or none that can be shown.
    pub name: Option<String>,
    /// What identifies it: zeros for the control domain, `None` when the store does not say.
    pub uuid: Option<Uuid>,
}

/// The home of a domain in the store.
pub(super) fn home(id: u32) -> String {
    format!("{DOMAINS}/{id}")
}

/// The uuid in the path of a domain's configuration. The old daemon appends a number when a path is taken.
pub(super) fn uuid_of_vm(path: &Value) -> Option<Uuid> {
    let path = path.text()?;
    let rest = path.strip_prefix("/vm/")?;
    let (uuid, number) = rest.split_at_checked(UUID_LENGTH)?;
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let fits = number.is_empty() || number.strip_prefix('-').is_some_and(is_number);
    fits.then(|| Uuid::try_parse(uuid).ok()).flatten()
}

impl Xenstore {
    /// The ids of the domains that the store knows, ascending.
    pub fn ids(&self) -> Result<Vec<u32>> {
        let names = self.directory(DOMAINS)?.unwrap_or_default();
        let mut ids: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The names of domains, all in one round trip; `None` for one that has none that can be shown.
    pub fn names(&self, ids: &[u32]) -> Result<Vec<Option<String>>> {
        let paths: Vec<String> = ids.iter().map(|id| format!("{}/name", home(*id))).collect();
        let values = self.read_many(&paths)?;
        Ok(values.into_iter().map(|value| value?.text()).collect())
    }

    /// Names and uuids of domains, all in one round trip. Those that are gone have neither.
    pub fn identities(&self, ids: &[u32]) -> Result<Vec<Identity>> {
        let paths: Vec<String> =
            ids.iter().flat_map(|id| ["name", "vm"].map(|node| format!("{}/{node}", home(*id)))).collect();
        let values = self.read_many(&paths)?;
        let identities = ids.iter().zip(values.chunks_exact(2)).map(|(&id, pair)| {
            let name = pair[0].as_ref().and_then(Value::text);
            let uuid = pair[1].as_ref().and_then(uuid_of_vm).or((id == 0).then(Uuid::nil));
            Identity { id, name, uuid }
        });
        Ok(identities.collect())
    }

    /// All domains that the store knows, by ascending id: two round trips.
    pub fn guests(&self) -> Result<Vec<Identity>> {
        let ids = self.ids()?;
        let mut found = self.identities(&ids)?;
        // One without either is just coming or just going.
        found.retain(|guest| guest.name.is_some() || guest.uuid.is_some());
        Ok(found)
    }

    /// The id under which the domain with this uuid runs now; `hint` is an id that it had once.
    pub fn id_of(&self, uuid: Uuid, hint: Option<u32>) -> Result<Option<u32>> {
        if uuid.is_nil() {
            return Ok(Some(0));
        }
        let is_it = |guest: &Identity| guest.uuid == Some(uuid);
        if let Some(id) = hint
            && self.identities(&[id])?.first().is_some_and(is_it)
        {
            return Ok(Some(id));
        }
        // While a domain is restored or moved there may be two of its uuid; the newer one lives on.
        Ok(self.guests()?.iter().rev().find(|guest| is_it(guest)).map(|guest| guest.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_configuration_tells_the_uuid() {
        let uuid = "d1337464-e792-11f1-95ac-fd53b234a16f";
        let seen = |path: String| uuid_of_vm(&Value(path.into_bytes()));
        let wanted = Some(Uuid::try_parse(uuid).unwrap());
        assert_eq!(seen(format!("/vm/{uuid}")), wanted);
        assert_eq!(seen(format!("/vm/{uuid}-12")), wanted);
        let odd = ["/vm", "/vm/", "/vm/é", "/vm/d1337464e79211f195acfd53b234a16f", "/x/"];
        for bad in
            odd.into_iter().map(str::to_string).chain(["-", "x", "/a"].map(|end| format!("/vm/{uuid}{end}")))
        {
            assert_eq!(seen(bad.clone()), None, "{bad}");
        }
    }
}
