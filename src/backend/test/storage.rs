//! Storage pools and volumes.

use super::pools::{self, Pool};
use super::state::State;
use super::*;
use super::{definition, moment_documents};
use crate::error::ErrorCode;
use crate::model::constants::*;
use crate::model::event::{Event, ObjectEvent};
use crate::xml::{self, Element, pool};
use uuid::Uuid;

/// What every search for volume groups finds.
const LOGICAL_SOURCES: &str = "\
<sources>
  <source>
    <device path='/dev/sda20'/>
    <name>testvg1</name>
    <format type='lvm2'/>
  </source>
  <source>
    <device path='/dev/sda21'/>
    <name>testvg2</name>
    <format type='lvm2'/>
  </source>
</sources>
";
/// The types of pools that exist but have no sources to be found.
const UNSEARCHED: [&str; 1] = ["dir"];

/// Reads a pool's definition and completes it.
fn read_pool(text: &str) -> Result<Element> {
    let mut tree = xml::parse(text, "storage_pool_definition")?;
    pool::complete(&mut tree)?;
    Ok(tree)
}

fn no_volume(detail: String) -> Error {
    Error::new(ErrorCode::NO_STORAGE_VOLUME, detail)
}

impl State {
    /// The active pool of a volume and the volume.
    fn volume(&self, volume: &VolumeRef) -> Result<(&Pool, &Element)> {
        let pool = self.pools.by_name(&volume.pool)?;
        pool.expect_active(true)?;
        let found = pool.volume(&volume.name);
        let found =
            found.ok_or_else(|| no_volume(format!("no storage vol with matching name '{}'", volume.name)))?;
        Ok((pool, found))
    }
}

impl TestConnection {
    fn tell_pool(&self, pool: &PoolRef, event: i32) {
        let what = ObjectEvent::Lifecycle { event, detail: 0 };
        self.bus.publish(&Event::Pool(pool.clone(), what));
    }

    /// Asks one pool something.
    fn pool<T>(&self, pool: &PoolRef, ask: impl FnOnce(&Pool) -> T) -> Result<T> {
        self.state().pools.by_uuid(pool.uuid).map(ask)
    }

    /// Adds a volume to an active pool.
    fn add_volume(&self, pool: &PoolRef, text: &str, source: Option<&VolumeRef>) -> Result<VolumeRef> {
        let mut state = self.state();
        state.pools.by_uuid(pool.uuid)?.expect_active(true)?;
        if let Some(source) = source {
            state.volume(source)?;
        }
        let tree = moment_documents::read(text, "volume")?;
        state.pools.get_mut(pool)?.add_volume(tree, false)
    }
}

/// Reads where pools are to be looked for.
fn read_source(text: &str) -> Result<Element> {
    let source = xml::parse(text, "storage_source")?;
    if source.name != "source" {
        let found = &source.name;
        return Err(Error::xml(format!("expecting root element of 'source', not '{found}'")));
    }
    for host in source.children("host") {
        if host.attribute("name").is_none() {
            return Err(Error::xml("missing storage pool host name"));
        }
        if let Some(port) = host.attribute("port").filter(|port| port.parse::<i32>().is_err()) {
            let detail = format!(
                "Invalid value for attribute 'port' in element 'host': '{port}'. Expected integer value"
            );
            return Err(Error::xml(detail));
        }
    }
    Ok(source)
}

impl Storage for TestConnection {
    fn list_all_pools(&self, flags: u32) -> Result<Vec<PoolRef>> {
        let state = self.state();
        let listed = state.pools.list.iter().filter(|pool| pool.is_listed(flags));
        Ok(listed.map(Pool::reference).collect())
    }

    fn pool_lookup_by_name(&self, name: &str) -> Result<PoolRef> {
        self.state().pools.by_name(name).map(Pool::reference)
    }

    fn pool_lookup_by_uuid(&self, uuid: Uuid) -> Result<PoolRef> {
        self.state().pools.by_uuid(uuid).map(Pool::reference)
    }

    fn pool_lookup_by_volume(&self, volume: &VolumeRef) -> Result<PoolRef> {
        self.pool_lookup_by_name(&volume.pool)
    }

    fn pool_info(&self, pool: &PoolRef) -> Result<PoolInfo> {
        self.pool(pool, Pool::info)
    }

    fn pool_xml(&self, pool: &PoolRef, flags: u32) -> Result<String> {
        only_flags(flags, 0, "testStoragePoolGetXMLDesc")?;
        self.pool(pool, Pool::document)
    }

    fn pool_autostart(&self, pool: &PoolRef) -> Result<bool> {
        self.pool(pool, |pool| pool.autostart)
    }

    fn pool_is_active(&self, pool: &PoolRef) -> Result<bool> {
        self.pool(pool, |pool| pool.active)
    }

    fn pool_is_persistent(&self, pool: &PoolRef) -> Result<bool> {
        self.pool(pool, |pool| pool.persistent)
    }

    fn pool_set_autostart(&self, pool: &PoolRef, autostart: bool) -> Result<()> {
        let mut state = self.state();
        let pool = state.pools.get_mut(pool)?;
        if !pool.persistent {
            return Err(Error::invalid_argument("pool has no config file"));
        }
        pool.autostart = autostart;
        Ok(())
    }

    fn pool_define_xml(&self, xml: &str, flags: u32) -> Result<PoolRef> {
        only_flags(flags, STORAGE_POOL_DEFINE_VALIDATE, "testStoragePoolDefineXML")?;
        let new = Pool::new(read_pool(xml)?);
        let mut state = self.state();
        let pools = &mut state.pools;
        let reference = new.reference();
        let known = pools.check_identity(&new.name, new.uuid, false)?;
        pools.check_source(&new)?;
        match known {
            Some(at) => {
                let known = &mut pools.list[at];
                known.persistent = true;
                if !known.active {
                    known.tree = new.tree;
                }
            }
            None => pools.list.push(new),
        }
        self.tell_pool(&reference, STORAGE_POOL_EVENT_DEFINED);
        Ok(reference)
    }

    fn pool_create_xml(&self, xml: &str, flags: u32) -> Result<PoolRef> {
        only_flags(flags, 0, "testStoragePoolCreateXML")?;
        let mut new = Pool::new(read_pool(xml)?);
        let mut state = self.state();
        let pools = &mut state.pools;
        let reference = new.reference();
        (new.active, new.persistent) = (true, false);
        let known = pools.check_identity(&new.name, new.uuid, true)?;
        pools.check_source(&new)?;
        match known {
            Some(at) => pools.list[at] = new,
            None => pools.list.push(new),
        }
        self.tell_pool(&reference, STORAGE_POOL_EVENT_STARTED);
        Ok(reference)
    }

    fn pool_create(&self, pool: &PoolRef, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testStoragePoolCreate")?;
        let mut state = self.state();
        let known = state.pools.get_mut(pool)?;
        known.expect_active(false)?;
        known.active = true;
        self.tell_pool(pool, STORAGE_POOL_EVENT_STARTED);
        Ok(())
    }

    fn pool_build(&self, pool: &PoolRef, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testStoragePoolBuild")?;
        self.pool(pool, |pool| pool.expect_active(false))??;
        self.tell_pool(pool, STORAGE_POOL_EVENT_CREATED);
        Ok(())
    }

    fn pool_destroy(&self, pool: &PoolRef) -> Result<()> {
        let mut state = self.state();
        let known = state.pools.get_mut(pool)?;
        known.expect_active(true)?;
        known.active = false;
        state.pools.list.retain(|known| known.active || known.persistent);
        self.tell_pool(pool, STORAGE_POOL_EVENT_STOPPED);
        Ok(())
    }

    fn pool_delete(&self, pool: &PoolRef, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testStoragePoolDelete")?;
        self.pool(pool, |pool| pool.expect_active(false))??;
        self.tell_pool(pool, STORAGE_POOL_EVENT_DELETED);
        Ok(())
    }

    fn pool_undefine(&self, pool: &PoolRef) -> Result<()> {
        let mut state = self.state();
        state.pools.get_mut(pool)?.expect_active(false)?;
        state.pools.list.retain(|known| known.uuid != pool.uuid);
        self.tell_pool(pool, STORAGE_POOL_EVENT_UNDEFINED);
        Ok(())
    }

    fn pool_refresh(&self, pool: &PoolRef, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testStoragePoolRefresh")?;
        self.pool(pool, |pool| pool.expect_active(true))??;
        self.bus.publish(&Event::Pool(pool.clone(), ObjectEvent::Refresh));
        Ok(())
    }

    fn find_pool_sources(&self, kind: &str, spec: Option<&str>, flags: u32) -> Result<String> {
        only_flags(flags, 0, "testConnectFindStoragePoolSources")?;
        if UNSEARCHED.contains(&kind) {
            return Err(Error::internal(format!("unknown storage pool type {kind}")));
        }
        let source = spec.map(read_source).transpose()?;
        match kind {
            "logical" => Ok(LOGICAL_SOURCES.to_string()),
            "netfs" => {
                let host = source.as_ref().and_then(|source| source.child_attribute("host", "name"));
                let Some(host) = host.filter(|host| !host.is_empty()) else {
                    return Err(Error::invalid_argument("hostname must be specified for netfs sources"));
                };
                let source = Element::new("source")
                    .with_child(Element::new("host").with("name", host))
                    .with_child(Element::new("dir").with("path", "/testshare"))
                    .with_child(Element::new("format").with("type", "nfs"));
                Ok(Element::new("sources").with_child(source).to_string())
            }
            kind => {
                let detail = format!("pool type '{kind}' does not support source discovery");
                Err(Error::new(ErrorCode::NO_SUPPORT, detail))
            }
        }
    }

    fn pool_list_all_volumes(&self, pool: &PoolRef, flags: u32) -> Result<Vec<VolumeRef>> {
        only_flags(flags, 0, "testStoragePoolListAllVolumes")?;
        self.pool(pool, |pool| match pool.active {
            true => Ok(pool.volumes.iter().map(|volume| pool.volume_reference(volume)).collect()),
            false => Err(Error::invalid_operation("storage pool is not active")),
        })?
    }

    fn volume_lookup_by_name(&self, pool: &PoolRef, name: &str) -> Result<VolumeRef> {
        self.pool(pool, |pool| {
            pool.expect_active(true)?;
            let found = pool.volume(name).map(|volume| pool.volume_reference(volume));
            found.ok_or_else(|| no_volume(format!("no storage vol with matching name '{name}'")))
        })?
    }

    fn volume_lookup_by_key(&self, key: &str) -> Result<VolumeRef> {
        let state = self.state();
        let found = state.pools.find_volume(|volume| volume.child_string("key").as_deref() == Some(key));
        found.ok_or_else(|| no_volume(format!("no storage vol with matching key '{key}'")))
    }

    fn volume_lookup_by_path(&self, path: &str) -> Result<VolumeRef> {
        let state = self.state();
        let is_it = |volume: &Element| volume.child_string("target/path").as_deref() == Some(path);
        let found = state.pools.find_volume(is_it);
        found.ok_or_else(|| no_volume(format!("no storage vol with matching path '{path}'")))
    }

    fn volume_xml(&self, volume: &VolumeRef, flags: u32) -> Result<String> {
        only_flags(flags, 0, "testStorageVolGetXMLDesc")?;
        let state = self.state();
        state.volume(volume).map(|(_, volume)| volume.to_string())
    }

    fn volume_path(&self, volume: &VolumeRef) -> Result<String> {
        let state = self.state();
        let (_, volume) = state.volume(volume)?;
        Ok(volume.child_string("target/path").unwrap_or_default())
    }

    fn volume_info(&self, volume: &VolumeRef, flags: u32) -> Result<VolumeInfo> {
        if flags != 0 {
            return Err(Error::unsupported("virStorageVolGetInfoFlags"));
        }
        let state = self.state();
        state.volume(volume).map(|(pool, volume)| pools::volume_info(pool, volume))
    }

    fn volume_create_xml(&self, pool: &PoolRef, xml: &str, flags: u32) -> Result<VolumeRef> {
        only_flags(flags, 0, "testStorageVolCreateXML")?;
        self.add_volume(pool, xml, None)
    }

    fn volume_create_xml_from(
        &self,
        pool: &PoolRef,
        xml: &str,
        source: &VolumeRef,
        flags: u32,
    ) -> Result<VolumeRef> {
        only_flags(flags, 0, "testStorageVolCreateXMLFrom")?;
        self.add_volume(pool, xml, Some(source))
    }

    fn volume_delete(&self, volume: &VolumeRef, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testStorageVolDelete")?;
        let mut state = self.state();
        let (pool, found) = state.volume(volume)?;
        let (pool, name) = (pool.reference(), definition::name_of(found));
        state.pools.get_mut(&pool)?.remove_volume(&name);
        Ok(())
    }

    fn volume_wipe_pattern(&self, _: &VolumeRef, algorithm: u32, _: u32) -> Result<()> {
        Err(Error::unsupported(match algorithm {
            STORAGE_VOL_WIPE_ALG_ZERO => "virStorageVolWipe",
            _ => "virStorageVolWipePattern",
        }))
    }
}
