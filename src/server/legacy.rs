//! Older forms of operations that clients still send: each is answered through the operation that replaced it.

use crate::backend::Connection;
use crate::error::{Error, ErrorCode, Result};
use crate::model::constants::*;
use crate::model::*;
use crate::rpc::frame::{QEMU_PROGRAM, REMOTE_PROGRAM};
use crate::rpc::procedure::DOMAIN_SHUTDOWN;
use crate::rpc::procedure::*;
use crate::rpc::xdr::{Xdr, from_bytes, to_bytes};

/// Runs the older operation that `procedure` names in the main program; `None` when there is none.
pub(super) fn answer(connection: &dyn Connection, procedure: i32, payload: &[u8]) -> Option<Result<Vec<u8>>> {
    let result = domain_changes(connection, procedure, payload)
        .or_else(|| domain_listings(connection, procedure, payload))
        .or_else(|| object_changes(connection, procedure, payload))
        .or_else(|| object_counts(connection, procedure, payload))
        .or_else(|| object_names(connection, procedure, payload))?;
    Some(result.map_err(|error| by_older_name(error, procedure)))
}

/// The refusal of an operation of the protocol that no driver here has; `None` for numbers that mean nothing.
pub(super) fn refuse(program: u32, procedure: i32) -> Option<Error> {
    let known = ABSENT.iter().find(|(of, number, _)| (*of, *number) == (program, procedure));
    known.map(|(_, _, name)| Error::unsupported(name))
}

/// Older ways of migrating, and what passes open files.
const ABSENT: &[(u32, i32, &str)] = &[
    (REMOTE_PROGRAM, DOMAIN_MIGRATE_PREPARE, "virDomainMigratePrepare"),
    (REMOTE_PROGRAM, DOMAIN_MIGRATE_PERFORM, "virDomainMigratePerform"),
    (REMOTE_PROGRAM, DOMAIN_MIGRATE_FINISH, "virDomainMigrateFinish"),
    (REMOTE_PROGRAM, DOMAIN_MIGRATE_PREPARE2, "virDomainMigratePrepare2"),
    (REMOTE_PROGRAM, DOMAIN_MIGRATE_FINISH2, "virDomainMigrateFinish2"),
    (REMOTE_PROGRAM, DOMAIN_MIGRATE_PREPARE_TUNNEL, "virDomainMigratePrepareTunnel"),
    (REMOTE_PROGRAM, DOMAIN_MIGRATE_BEGIN3, "virDomainMigrateBegin3"),
    (REMOTE_PROGRAM, DOMAIN_MIGRATE_PREPARE3, "virDomainMigratePrepare3"),
    (REMOTE_PROGRAM, DOMAIN_MIGRATE_PREPARE_TUNNEL3, "virDomainMigratePrepareTunnel3"),
    (REMOTE_PROGRAM, DOMAIN_MIGRATE_PERFORM3, "virDomainMigratePerform3"),
    (REMOTE_PROGRAM, DOMAIN_MIGRATE_FINISH3, "virDomainMigrateFinish3"),
    (REMOTE_PROGRAM, DOMAIN_MIGRATE_CONFIRM3, "virDomainMigrateConfirm3"),
    (REMOTE_PROGRAM, DOMAIN_MIGRATE_PREPARE_TUNNEL3_PARAMS, "virDomainMigratePrepareTunnel3Params"),
    (REMOTE_PROGRAM, DOMAIN_OPEN_GRAPHICS, "virDomainOpenGraphics"),
    (REMOTE_PROGRAM, DOMAIN_OPEN_GRAPHICS_FD, "virDomainOpenGraphicsFD"),
    (REMOTE_PROGRAM, DOMAIN_CREATE_XML_WITH_FILES, "virDomainCreateXMLWithFiles"),
    (REMOTE_PROGRAM, DOMAIN_CREATE_WITH_FILES, "virDomainCreateWithFiles"),
    (REMOTE_PROGRAM, DOMAIN_FD_ASSOCIATE, "virDomainFDAssociate"),
    (QEMU_PROGRAM, QEMU_DOMAIN_MONITOR_COMMAND_WITH_FILES, "virDomainQemuMonitorCommandWithFiles"),
];

/// Refusals name the operation that was asked for, not the one that replaced it.
fn by_older_name(error: Error, procedure: i32) -> Error {
    let Some((_, name)) = NAMES.iter().find(|(number, _)| *number == procedure) else {
        return error;
    };
    if error.is_unsupported() {
        Error::unsupported(name).from_origin(error.origin)
    } else if error.code == ErrorCode::OPERATION_DENIED {
        Error::read_only(name).from_origin(error.origin)
    } else {
        error
    }
}

/// The public names of the older operations.
const NAMES: &[(i32, &str)] = &[
    (DOMAIN_ATTACH_DEVICE, "virDomainAttachDevice"),
    (DOMAIN_CREATE, "virDomainCreate"),
    (DOMAIN_DEFINE_XML, "virDomainDefineXML"),
    (DOMAIN_DESTROY, "virDomainDestroy"),
    (DOMAIN_DETACH_DEVICE, "virDomainDetachDevice"),
    (CONNECT_LIST_DEFINED_DOMAINS, "virConnectListDefinedDomains"),
    (CONNECT_NUM_OF_DEFINED_DOMAINS, "virConnectNumOfDefinedDomains"),
    (DOMAIN_PIN_VCPU, "virDomainPinVcpu"),
    (DOMAIN_SET_MEMORY, "virDomainSetMemory"),
    (DOMAIN_SET_VCPUS, "virDomainSetVcpus"),
    (DOMAIN_SHUTDOWN, "virDomainShutdown"),
    (DOMAIN_UNDEFINE, "virDomainUndefine"),
    (CONNECT_LIST_DEFINED_NETWORKS, "virConnectListDefinedNetworks"),
    (CONNECT_LIST_DOMAINS, "virConnectListDomains"),
    (CONNECT_LIST_NETWORKS, "virConnectListNetworks"),
    (NETWORK_CREATE_XML, "virNetworkCreateXML"),
    (NETWORK_DEFINE_XML, "virNetworkDefineXML"),
    (CONNECT_NUM_OF_DEFINED_NETWORKS, "virConnectNumOfDefinedNetworks"),
    (CONNECT_NUM_OF_DOMAINS, "virConnectNumOfDomains"),
    (CONNECT_NUM_OF_NETWORKS, "virConnectNumOfNetworks"),
    (DOMAIN_CORE_DUMP, "virDomainCoreDump"),
    (DOMAIN_RESTORE, "virDomainRestore"),
    (DOMAIN_SAVE, "virDomainSave"),
    (DOMAIN_GET_SCHEDULER_PARAMETERS, "virDomainGetSchedulerParameters"),
    (DOMAIN_SET_SCHEDULER_PARAMETERS, "virDomainSetSchedulerParameters"),
    (CONNECT_NUM_OF_STORAGE_POOLS, "virConnectNumOfStoragePools"),
    (CONNECT_LIST_STORAGE_POOLS, "virConnectListStoragePools"),
    (CONNECT_NUM_OF_DEFINED_STORAGE_POOLS, "virConnectNumOfDefinedStoragePools"),
    (CONNECT_LIST_DEFINED_STORAGE_POOLS, "virConnectListDefinedStoragePools"),
    (STORAGE_POOL_NUM_OF_VOLUMES, "virStoragePoolNumOfVolumes"),
    (STORAGE_POOL_LIST_VOLUMES, "virStoragePoolListVolumes"),
    (STORAGE_VOL_GET_INFO, "virStorageVolGetInfo"),
    (NODE_NUM_OF_DEVICES, "virNodeNumOfDevices"),
    (NODE_LIST_DEVICES, "virNodeListDevices"),
    (NODE_DEVICE_NUM_OF_CAPS, "virNodeDeviceNumOfCaps"),
    (NODE_DEVICE_DETTACH, "virNodeDeviceDettach"),
    (CONNECT_NUM_OF_INTERFACES, "virConnectNumOfInterfaces"),
    (CONNECT_LIST_INTERFACES, "virConnectListInterfaces"),
    (CONNECT_NUM_OF_DEFINED_INTERFACES, "virConnectNumOfDefinedInterfaces"),
    (CONNECT_LIST_DEFINED_INTERFACES, "virConnectListDefinedInterfaces"),
    (CONNECT_NUM_OF_SECRETS, "virConnectNumOfSecrets"),
    (CONNECT_LIST_SECRETS, "virConnectListSecrets"),
    (DOMAIN_ABORT_JOB, "virDomainAbortJob"),
    (STORAGE_VOL_WIPE, "virStorageVolWipe"),
    (CONNECT_NUM_OF_NWFILTERS, "virConnectNumOfNWFilters"),
    (CONNECT_LIST_NWFILTERS, "virConnectListNWFilters"),
    (NWFILTER_DEFINE_XML, "virNWFilterDefineXML"),
    (DOMAIN_SNAPSHOT_NUM, "virDomainSnapshotNum"),
    (DOMAIN_SNAPSHOT_LIST_NAMES, "virDomainSnapshotListNames"),
    (DOMAIN_SNAPSHOT_NUM_CHILDREN, "virDomainSnapshotNumChildren"),
    (DOMAIN_SNAPSHOT_LIST_CHILDREN_NAMES, "virDomainSnapshotListChildrenNames"),
];

/// Decodes the arguments, asks, encodes the answer.
fn ask<A: Xdr, R: Xdr>(payload: &[u8], operation: impl FnOnce(A) -> Result<R>) -> Option<Result<Vec<u8>>> {
    Some(from_bytes(payload).and_then(operation).map(|answer| to_bytes(&answer)))
}

/// The count of a listing, as the older counting calls answer it.
fn count<T>(items: Result<Vec<T>>) -> Option<Result<Vec<u8>>> {
    Some(items.map(|items| to_bytes(&i32::try_from(items.len()).unwrap_or(i32::MAX))))
}

/// The names of a listing's first items.
fn names<T>(payload: &[u8], items: Result<Vec<T>>, name: impl Fn(T) -> String) -> Option<Result<Vec<u8>>> {
    ask(payload, |most: i32| first_names(items, most, name))
}

fn first_names<T>(items: Result<Vec<T>>, most: i32, name: impl Fn(T) -> String) -> Result<Vec<String>> {
    let most = usize::try_from(most).unwrap_or(0);
    Ok(items?.into_iter().map(name).take(most).collect())
}

/// What the older calls without flags change: the running domain.
const LIVE: u32 = DOMAIN_AFFECT_LIVE;

fn domain_changes(connection: &dyn Connection, procedure: i32, payload: &[u8]) -> Option<Result<Vec<u8>>> {
    let domains = connection.domains();
    match procedure {
        DOMAIN_ATTACH_DEVICE => {
            ask(payload, |(domain, xml): (DomainRef, String)| domains.attach_device(&domain, &xml, LIVE))
        }
        DOMAIN_DETACH_DEVICE => {
            ask(payload, |(domain, xml): (DomainRef, String)| domains.detach_device(&domain, &xml, LIVE))
        }
        DOMAIN_CREATE => ask(payload, |domain: DomainRef| domains.create(&domain, 0).map(|_| ())),
        DOMAIN_DEFINE_XML => ask(payload, |xml: String| domains.define_xml(&xml, 0)),
        DOMAIN_DESTROY => ask(payload, |domain: DomainRef| domains.destroy(&domain, 0)),
        DOMAIN_SHUTDOWN => ask(payload, |domain: DomainRef| domains.shutdown(&domain, 0)),
        DOMAIN_UNDEFINE => ask(payload, |domain: DomainRef| domains.undefine(&domain, 0)),
        DOMAIN_SET_MEMORY => {
            ask(payload, |(domain, memory): (DomainRef, u64)| domains.set_memory(&domain, memory, LIVE))
        }
        DOMAIN_SET_VCPUS => {
            ask(payload, |(domain, count): (DomainRef, u32)| domains.set_vcpus(&domain, count, LIVE))
        }
        DOMAIN_PIN_VCPU => ask(payload, |(domain, vcpu, map): (DomainRef, u32, Vec<u8>)| {
            domains.pin_vcpu(&domain, vcpu, &map, 0)
        }),
        DOMAIN_SAVE => ask(payload, |(domain, to): (DomainRef, String)| domains.save(&domain, &to, None, 0)),
        DOMAIN_RESTORE => ask(payload, |from: String| domains.restore(&from, None, 0)),
        DOMAIN_CORE_DUMP => ask(payload, |(domain, to, flags): (DomainRef, String, u32)| {
            domains.core_dump_with_format(&domain, &to, DOMAIN_CORE_DUMP_FORMAT_RAW, flags)
        }),
        DOMAIN_ABORT_JOB => ask(payload, |domain: DomainRef| domains.abort_job(&domain, 0)),
        DOMAIN_SET_SCHEDULER_PARAMETERS => ask(payload, |(domain, params): (DomainRef, Vec<TypedParam>)| {
            domains.set_scheduler_parameters(&domain, &params, 0)
        }),
        DOMAIN_GET_SCHEDULER_PARAMETERS => ask(payload, |(domain, most): (DomainRef, i32)| {
            let mut params = domains.scheduler_parameters(&domain, 0)?;
            params.truncate(usize::try_from(most).unwrap_or(0));
            Ok(params)
        }),
        _ => None,
    }
}

fn domain_listings(connection: &dyn Connection, procedure: i32, payload: &[u8]) -> Option<Result<Vec<u8>>> {
    let domains = |flags| connection.domains().list_all_domains(flags);
    let snapshots = connection.snapshots();
    match procedure {
        CONNECT_NUM_OF_DOMAINS => count(domains(CONNECT_LIST_DOMAINS_ACTIVE)),
        CONNECT_NUM_OF_DEFINED_DOMAINS => count(domains(CONNECT_LIST_DOMAINS_INACTIVE)),
        CONNECT_LIST_DEFINED_DOMAINS => {
            names(payload, domains(CONNECT_LIST_DOMAINS_INACTIVE), |domain| domain.name)
        }
        CONNECT_LIST_DOMAINS => ask(payload, |most: i32| {
            let active = domains(CONNECT_LIST_DOMAINS_ACTIVE)?;
            let ids = active.into_iter().filter_map(|domain| i32::try_from(domain.id?).ok());
            Ok(ids.take(usize::try_from(most).unwrap_or(0)).collect::<Vec<i32>>())
        }),
        DOMAIN_SNAPSHOT_NUM => ask(payload, |(domain, flags): (DomainRef, u32)| {
            let all = snapshots.list_all_snapshots(&domain, flags)?;
            Ok(i32::try_from(all.len()).unwrap_or(i32::MAX))
        }),
        DOMAIN_SNAPSHOT_LIST_NAMES => ask(payload, |(domain, most, flags): (DomainRef, i32, u32)| {
            first_names(snapshots.list_all_snapshots(&domain, flags), most, |snapshot| snapshot.name)
        }),
        DOMAIN_SNAPSHOT_NUM_CHILDREN => ask(payload, |(parent, flags): (SnapshotRef, u32)| {
            let all = snapshots.snapshot_list_all_children(&parent, flags)?;
            Ok(i32::try_from(all.len()).unwrap_or(i32::MAX))
        }),
        DOMAIN_SNAPSHOT_LIST_CHILDREN_NAMES => {
            ask(payload, |(parent, most, flags): (SnapshotRef, i32, u32)| {
                first_names(snapshots.snapshot_list_all_children(&parent, flags), most, |snapshot| {
                    snapshot.name
                })
            })
        }
        _ => None,
    }
}

fn object_changes(connection: &dyn Connection, procedure: i32, payload: &[u8]) -> Option<Result<Vec<u8>>> {
    match procedure {
        NETWORK_CREATE_XML => ask(payload, |xml: String| connection.networks().create_xml(&xml, 0)),
        NETWORK_DEFINE_XML => ask(payload, |xml: String| connection.networks().define_xml(&xml, 0)),
        NWFILTER_DEFINE_XML => ask(payload, |xml: String| connection.filters().define_xml(&xml, 0)),
        STORAGE_VOL_GET_INFO => {
            ask(payload, |volume: VolumeRef| connection.storage().volume_info(&volume, 0))
        }
        STORAGE_VOL_WIPE => ask(payload, |(volume, flags): (VolumeRef, u32)| {
            connection.storage().volume_wipe_pattern(&volume, STORAGE_VOL_WIPE_ALG_ZERO, flags)
        }),
        NODE_DEVICE_DETTACH => ask(payload, |name: String| connection.node_devices().detach(&name, None, 0)),
        _ => None,
    }
}

fn object_counts(connection: &dyn Connection, procedure: i32, payload: &[u8]) -> Option<Result<Vec<u8>>> {
    let networks = |flags| connection.networks().list_all_networks(flags);
    let pools = |flags| connection.storage().list_all_pools(flags);
    let interfaces = |flags| connection.interfaces().list_all_interfaces(flags);
    match procedure {
        CONNECT_NUM_OF_NETWORKS => count(networks(CONNECT_LIST_NETWORKS_ACTIVE)),
        CONNECT_NUM_OF_DEFINED_NETWORKS => count(networks(CONNECT_LIST_NETWORKS_INACTIVE)),
        CONNECT_NUM_OF_STORAGE_POOLS => count(pools(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
        CONNECT_NUM_OF_DEFINED_STORAGE_POOLS => count(pools(CONNECT_LIST_STORAGE_POOLS_INACTIVE)),
        CONNECT_NUM_OF_INTERFACES => count(interfaces(CONNECT_LIST_INTERFACES_ACTIVE)),
        CONNECT_NUM_OF_DEFINED_INTERFACES => count(interfaces(CONNECT_LIST_INTERFACES_INACTIVE)),
        CONNECT_NUM_OF_SECRETS => count(connection.secrets().list_all_secrets(0)),
        CONNECT_NUM_OF_NWFILTERS => count(connection.filters().list_all_filters(0)),
        STORAGE_POOL_NUM_OF_VOLUMES => ask(payload, |pool: PoolRef| {
            let volumes = connection.storage().pool_list_all_volumes(&pool, 0)?;
            Ok(i32::try_from(volumes.len()).unwrap_or(i32::MAX))
        }),
        NODE_DEVICE_NUM_OF_CAPS => ask(payload, |name: String| {
            let capabilities = connection.node_devices().list_caps(&name)?;
            Ok(i32::try_from(capabilities.len()).unwrap_or(i32::MAX))
        }),
        NODE_NUM_OF_DEVICES => ask(payload, |(capability, _flags): (Option<String>, u32)| {
            let devices = devices_with(connection, capability.as_deref())?;
            Ok(i32::try_from(devices.len()).unwrap_or(i32::MAX))
        }),
        _ => None,
    }
}

fn object_names(connection: &dyn Connection, procedure: i32, payload: &[u8]) -> Option<Result<Vec<u8>>> {
    let networks = |flags| names(payload, connection.networks().list_all_networks(flags), |n| n.name);
    let pools = |flags| names(payload, connection.storage().list_all_pools(flags), |pool| pool.name);
    let interfaces = |flags| names(payload, connection.interfaces().list_all_interfaces(flags), |i| i.name);
    match procedure {
        CONNECT_LIST_NETWORKS => networks(CONNECT_LIST_NETWORKS_ACTIVE),
        CONNECT_LIST_DEFINED_NETWORKS => networks(CONNECT_LIST_NETWORKS_INACTIVE),
        CONNECT_LIST_STORAGE_POOLS => pools(CONNECT_LIST_STORAGE_POOLS_ACTIVE),
        CONNECT_LIST_DEFINED_STORAGE_POOLS => pools(CONNECT_LIST_STORAGE_POOLS_INACTIVE),
        CONNECT_LIST_INTERFACES => interfaces(CONNECT_LIST_INTERFACES_ACTIVE),
        CONNECT_LIST_DEFINED_INTERFACES => interfaces(CONNECT_LIST_INTERFACES_INACTIVE),
        CONNECT_LIST_SECRETS => {
            names(payload, connection.secrets().list_all_secrets(0), |secret| secret.uuid.to_string())
        }
        CONNECT_LIST_NWFILTERS => {
            names(payload, connection.filters().list_all_filters(0), |filter| filter.name)
        }
        STORAGE_POOL_LIST_VOLUMES => ask(payload, |(pool, most): (PoolRef, i32)| {
            first_names(connection.storage().pool_list_all_volumes(&pool, 0), most, |volume| volume.name)
        }),
        NODE_LIST_DEVICES => ask(payload, |(capability, most, _flags): (Option<String>, i32, u32)| {
            first_names(devices_with(connection, capability.as_deref()), most, |device| device.name)
        }),
        _ => None,
    }
}

/// The host's devices that have a capability, by the capability's name.
fn devices_with(connection: &dyn Connection, capability: Option<&str>) -> Result<Vec<NodeDeviceRef>> {
    let devices = connection.node_devices();
    let mut all = devices.list_all_node_devices(0)?;
    if let Some(wanted) = capability {
        // A device may go while we ask; then it has no capability either.
        all.retain(|device| {
            devices.list_caps(&device.name).is_ok_and(|caps| caps.iter().any(|cap| cap == wanted))
        });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_older_operation_has_a_name() {
        let named: Vec<i32> = NAMES.iter().map(|(number, _)| *number).collect();
        struct Nothing;
        impl Connection for Nothing {
            fn host(&self) -> &dyn crate::backend::Host {
                &crate::backend::Absent
            }
            fn domains(&self) -> &dyn crate::backend::Domains {
                &crate::backend::Absent
            }
        }
        for procedure in 0..460 {
            let answered = answer(&Nothing, procedure, &[]).is_some();
            assert_eq!(answered, named.contains(&procedure), "procedure {procedure}");
        }
    }

    #[test]
    fn a_refusal_names_what_was_asked_for() {
        let refused = by_older_name(Error::read_only("virDomainDefineXMLFlags"), DOMAIN_DEFINE_XML);
        assert_eq!(refused.to_string(), "operation forbidden: read only access prevents virDomainDefineXML");
        let other = by_older_name(Error::invalid_operation("x"), DOMAIN_DEFINE_XML);
        assert_eq!(other.to_string(), "Requested operation is not valid: x");
        assert!(refuse(REMOTE_PROGRAM, DOMAIN_OPEN_GRAPHICS_FD).is_some_and(|error| error.is_unsupported()));
        assert!(refuse(QEMU_PROGRAM, DOMAIN_OPEN_GRAPHICS_FD).is_none());
    }
}
