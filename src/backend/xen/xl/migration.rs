//! Moving domains to another host: `xl migrate`, which goes there by ssh.

use super::XlLayer;
use crate::backend::DomainJobs;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::{DomainRef, JobInfo, ParamValue, TypedParam};

/// What a migration may be asked for.
const FLAGS: u32 =
    MIGRATE_LIVE | MIGRATE_PEER2PEER | MIGRATE_UNDEFINE_SOURCE | MIGRATE_PERSIST_DEST | MIGRATE_UNSAFE;

impl DomainJobs for XlLayer {
    fn job_info(&self, domain: &DomainRef) -> Result<JobInfo> {
        self.directory.find(domain).map(|_| JobInfo::default())
    }

    fn migrate_perform3_params(
        &self,
        domain: &DomainRef,
        dconnuri: Option<&str>,
        params: &[TypedParam],
        _cookie_in: &[u8],
        flags: u32,
    ) -> Result<Vec<u8>> {
        if flags & !FLAGS != 0 {
            return Err(Error::unsupported("virDomainMigratePerform3Params"));
        }
        let named = TypedParam::find(params, "migrate_uri").and_then(ParamValue::as_str);
        let target = named.or(dconnuri).unwrap_or_default();
        let host = destination(target).ok_or_else(|| {
            let detail =
                format!("'{target}' names no host to migrate to, such as xen+ssh://root@host/system");
            Error::invalid_argument(detail).from_origin(ErrorOrigin::XEN)
        })?;
        let id = self.id_of(domain)?;
        self.toolstack.run_long(&["migrate", &id, &host])?;
        if flags & MIGRATE_UNDEFINE_SOURCE != 0
            && let Some(definition) = self.directory.definition_of(domain)
        {
            self.directory.definitions().remove(&definition)?;
        }
        Ok(Vec::new())
    }
}

/// The host that ssh is to reach, with its user.
fn destination(uri: &str) -> Option<String> {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (user, place) =
        authority.rsplit_once('@').map_or((None, authority), |(user, place)| (Some(user), place));
    let host = place.split(':').next().unwrap_or_default();
    let is_word = |text: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        // A leading dash would be an option of ssh.
        !text.is_empty() && !text.starts_with('-') && text.chars().all(fits)
    };
    let fits = is_word(host) && user.is_none_or(is_word);
    fits.then(|| user.map_or_else(|| host.to_string(), |user| format!("{user}@{host}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_host_and_nothing_else() {
        for (uri, host) in [
            ("xen+ssh://root@far.example/system", Some("root@far.example")),
            ("xenmigr://far:8002/", Some("far")),
            ("far", Some("far")),
            ("xen+ssh://-oProxyCommand=x/", None),
            ("xen+ssh://a b/", None),
            ("xen:///", None),
            ("", None),
        ] {
            assert_eq!(destination(uri).as_deref(), host, "{uri}");
        }
    }
}
