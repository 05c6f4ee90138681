//! What xend says of the host.

use super::XendLayer;
use super::vcpus::MOST;
use crate::backend::Host;
use crate::error::Result;
use crate::model::NodeInfo;

impl XendLayer {
    /// A number of the node's description as it was when xend was found.
    fn figure(&self, name: &str) -> i64 {
        self.requests.node.number(name).unwrap_or(0)
    }
}

impl Host for XendLayer {
    fn driver_type(&self) -> Result<String> {
        Ok("Xen".to_string())
    }

    fn version(&self) -> Result<u64> {
        let part = |name| u64::try_from(self.figure(name)).unwrap_or(0);
        let extra = self.requests.node.get("xen_extra").unwrap_or_default();
        let digits = extra.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit);
        let third = digits.collect::<String>().parse().unwrap_or(0_u64);
        Ok(part("xen_major") * 1_000_000 + part("xen_minor") * 1_000 + third.min(999))
    }

    fn uri(&self) -> Result<String> {
        Ok(self.uri.clone())
    }

    fn lib_version(&self) -> Result<u64> {
        Ok(crate::model::LIBRARY_VERSION)
    }

    fn max_vcpus(&self, _kind: Option<&str>) -> Result<i32> {
        Ok(MOST)
    }

    fn hostname(&self) -> Result<String> {
        Ok(self.requests.node.get("host").unwrap_or_default())
    }

    fn node_info(&self) -> Result<NodeInfo> {
        let figure = |name| i32::try_from(self.figure(name)).unwrap_or(0);
        let at_least_one = |name| figure(name).max(1);
        let (cpus, nodes) = (at_least_one("nr_cpus"), at_least_one("nr_nodes"));
        let (cores, threads) = (at_least_one("cores_per_socket"), at_least_one("threads_per_core"));
        let sockets = match figure("sockets_per_node") {
            // Not said from 3.2 on.
            0 => cpus / (cores * threads).saturating_mul(nodes).max(1),
            said => said,
        };
        Ok(NodeInfo {
            model: self.requests.node.get("machine").unwrap_or_default().chars().take(31).collect(),
            memory: u64::try_from(self.figure("total_memory")).unwrap_or(0).saturating_mul(1024),
            cpus,
            mhz: figure("cpu_mhz"),
            nodes,
            sockets: sockets.max(1),
            cores,
            threads,
        })
    }

    fn node_free_memory(&self) -> Result<u64> {
        let free = self.requests.read_node()?.number("free_memory").unwrap_or(0);
        Ok(u64::try_from(free).unwrap_or(0).saturating_mul(1024 * 1024))
    }
}
