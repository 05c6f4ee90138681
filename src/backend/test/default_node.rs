//! The node of `test:///default`: one running domain, one network, one interface, one pool, four devices.

use super::interfaces::InterfaceSet;
use super::networks::NetworkSet;
use super::node_devices::DeviceSet;
use super::pools::PoolSet;
use super::state::{Cell, Guest, State};
use crate::error::Result;
use crate::model::NodeInfo;
use crate::xml;

/// The domain, complete as a client sees it, so that opening the node has nothing to work out.
const DOMAIN: &str = "\
<domain type='test'>
  <name>test</name>
  <uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid>
  <memory unit='KiB'>8388608</memory>
  <currentMemory unit='KiB'>2097152</currentMemory>
  <vcpu placement='static'>2</vcpu>
  <os>
    <type arch='i686'>hvm</type>
    <boot dev='hd'/>
  </os>
  <clock offset='utc'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type='file' device='disk'>
      <source file='/guest/diskimage1'/>
      <target dev='vda' bus='virtio'/>
      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </disk>
    <interface type='network'>
      <mac address='aa:bb:cc:dd:ee:ff'/>
      <source network='default'/>
      <target dev='testnet0'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/>
    </interface>
    <memballoon model='virtio'>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0'/>
    </memballoon>
  </devices>
</domain>
";

const NETWORK: &str = "\
<network>
  <name>default</name>
  <uuid>dd8fe884-6c02-601e-7551-cca97df1c5df</uuid>
  <forward mode='nat'/>
  <bridge name='virbr0'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='192.168.122.2' end='192.168.122.254'/>
    </dhcp>
  </ip>
</network>
";

const INTERFACE: &str = "\
<interface type='ethernet' name='eth1'>
  <start mode='onboot'/>
  <mtu size='1492'/>
  <protocol family='ipv4'>
    <ip address='192.168.0.5' prefix='24'/>
    <route gateway='192.168.0.1'/>
  </protocol>
  <mac address='aa:bb:cc:dd:ee:ff'/>
</interface>
";

const POOL: &str = "\
<pool type='dir'>
  <name>default-pool</name>
  <uuid>dfe224cb-28fb-8dd0-c4b2-64eb3f0f4566</uuid>
  <target>
    <path>/default-pool</path>
  </target>
</pool>
";

const DEVICES: [&str; 4] = [
    "\
<device>
  <name>computer</name>
  <capability type='system'>
    <hardware>
      <vendor>Libvirt</vendor>
      <version>Test driver</version>
      <serial>123456</serial>
      <uuid>11111111-2222-3333-4444-555555555555</uuid>
    </hardware>
    <firmware>
      <vendor>Libvirt</vendor>
      <version>Test Driver</version>
      <release_date>01/22/2007</release_date>
    </firmware>
  </capability>
</device>
",
    "\
<device>
  <name>scsi_host1</name>
  <parent>computer</parent>
  <capability type='scsi_host'>
    <host>1</host>
    <unique_id>0</unique_id>
    <capability type='fc_host'>
      <wwnn>2000000012341234</wwnn>
      <wwpn>1000000012341234</wwpn>
      <fabric_wwn>2000000043214321</fabric_wwn>
    </capability>
    <capability type='vport_ops'>
      <max_vports>0</max_vports>
      <vports>0</vports>
    </capability>
  </capability>
</device>
",
    "\
<device>
  <name>scsi_host2</name>
  <parent>computer</parent>
  <capability type='scsi_host'>
    <host>2</host>
    <unique_id>1</unique_id>
    <capability type='fc_host'>
      <wwnn>2000000056785678</wwnn>
      <wwpn>1000000056785678</wwpn>
      <fabric_wwn>2000000087658765</fabric_wwn>
    </capability>
    <capability type='vport_ops'>
      <max_vports>0</max_vports>
      <vports>0</vports>
    </capability>
  </capability>
</device>
",
    "\
<device>
  <name>scsi_host11</name>
  <parent>scsi_host1</parent>
  <capability type='scsi_host'>
    <host>11</host>
    <unique_id>10</unique_id>
    <capability type='fc_host'>
      <wwnn>2000000034563456</wwnn>
      <wwpn>1000000034563456</wwpn>
      <fabric_wwn>2000000043214321</fabric_wwn>
    </capability>
  </capability>
</device>
",
];

/// The NUMA cells of the default node.
const CELLS: &[Cell] = &[
    Cell { memory: 2 * 1024 * 1024, pages: &[(4, 524_288), (2048, 0), (1_048_576, 0)] },
    Cell { memory: 4 * 1024 * 1024, pages: &[(8, 524_288), (2048, 0), (1_048_576, 0)] },
];

/// The hardware of a node that does not say otherwise.
pub(super) fn node_info() -> NodeInfo {
    NodeInfo {
        model: "i686".to_string(),
        memory: 3 * 1024 * 1024,
        cpus: 16,
        mhz: 1400,
        nodes: 2,
        sockets: 2,
        cores: 2,
        threads: 2,
    }
}

/// The node as it is when a connection opens.
pub(super) fn state() -> Result<State> {
    let mut state = State::new(node_info(), CELLS);
    let mut guest = Guest::defined(xml::parse(DOMAIN, "domain_definition")?);
    guest.start(state.take_id(), crate::model::constants::DOMAIN_RUNNING_UNKNOWN);
    state.guests.push(guest);
    state.networks = NetworkSet::running(vec![xml::parse(NETWORK, "network_definition")?])?;
    state.pools = PoolSet::running(vec![(xml::parse(POOL, "storage_pool_definition")?, Vec::new())])?;
    let devices = DEVICES.iter().map(|text| xml::parse(text, "device_definition"));
    state.devices = DeviceSet::present(devices.collect::<Result<_>>()?)?;
    state.interfaces = InterfaceSet::running(vec![xml::parse(INTERFACE, "interface_definition")?])?;
    Ok(state)
}
