//! The host's memory: how much there is, how much is free, and its huge pages, by cell.

use super::{Node, bare_invalid, parse_list};
use crate::error::{Error, ErrorCode, Result};
use crate::model::NodeStat;
use crate::model::constants::{NODE_ALLOC_PAGES_SET, NODE_MEMORY_STATS_ALL_CELLS};

impl Node {
    /// The numbers of the NUMA cells; none where the kernel knows no cells.
    pub fn cells(&self) -> Vec<u32> {
        let list = self.read("sys/devices/system/node/online");
        list.map_or_else(Vec::new, |list| parse_list(&list))
    }

    /// A line of the memory of a cell, or of all, in KiB.
    fn memory_line(&self, cell: Option<u32>, name: &str) -> Result<u64> {
        let file = match cell {
            Some(cell) => format!("sys/devices/system/node/node{cell}/meminfo"),
            None => "proc/meminfo".to_string(),
        };
        let text = self.require(&file)?;
        let value = text.lines().find_map(|line| {
            let (before, value) = line.split_once(':')?;
            let found = before.rsplit(' ').next() == Some(name);
            found.then(|| value.split_whitespace().next()?.parse().ok())?
        });
        value.ok_or_else(|| Error::internal(format!("'{file}' does not say {name}")))
    }

    fn sum_over_cells(&self, name: &str) -> Result<u64> {
        let cells = self.cells();
        if cells.is_empty() {
            return self.memory_line(None, name);
        }
        cells.into_iter().map(|cell| self.memory_line(Some(cell), name)).sum()
    }

    /// Memory in KiB.
    pub(super) fn installed_memory(&self) -> Result<u64> {
        self.sum_over_cells("MemTotal")
    }

    /// Free memory in bytes (`virNodeGetFreeMemory`).
    pub fn node_free_memory(&self) -> Result<u64> {
        Ok(self.sum_over_cells("MemFree")? * 1024)
    }

    /// Free memory of cells in bytes, beginning with one (`virNodeGetCellsFreeMemory`).
    pub fn node_cells_free_memory(&self, start: i32, most: i32) -> Result<Vec<u64>> {
        let cells = self.cells_from(start)?;
        let most = usize::try_from(most).unwrap_or(0);
        let free = |cell: u32| Ok(self.memory_of(cell, "MemFree")? * 1024);
        cells.into_iter().take(most).map(free).collect()
    }

    /// A host without cells counts as one cell.
    fn memory_of(&self, cell: u32, name: &str) -> Result<u64> {
        let known = (!self.cells().is_empty()).then_some(cell);
        self.memory_line(known, name)
    }

    fn cells_from(&self, start: i32) -> Result<Vec<u32>> {
        let mut cells = self.cells();
        if cells.is_empty() {
            cells.push(0);
        }
        let last = cells.last().copied().unwrap_or(0);
        match u32::try_from(start) {
            Ok(first) if first <= last => Ok(cells.into_iter().filter(|cell| *cell >= first).collect()),
            _ => Err(Error::internal(format!("start cell {start} out of range (0-{last})"))),
        }
    }

    /// Memory of a cell or of all, in KiB (`virNodeGetMemoryStats`).
    pub fn node_memory_stats(&self, cell: i32) -> Result<Vec<NodeStat>> {
        let names: &[(&str, &str)] =
            &[("total", "MemTotal"), ("free", "MemFree"), ("buffers", "Buffers"), ("cached", "Cached")];
        let stat = |name: &str, value| NodeStat { name: name.to_string(), value };
        if cell == NODE_MEMORY_STATS_ALL_CELLS {
            let line = |(name, line): &(&str, &str)| Ok(stat(name, self.memory_line(None, line)?));
            return names.iter().map(line).collect();
        }
        let last = self.cells().last().copied().unwrap_or(0);
        match u32::try_from(cell) {
            Ok(cell) if cell <= last => {
                let line = |(name, line): &(&str, &str)| Ok(stat(name, self.memory_of(cell, line)?));
                names[..2].iter().map(line).collect()
            }
            _ => Err(bare_invalid(format!(
                "cellNum in virHostMemGetStats must be less than or equal to {last}"
            ))),
        }
    }

    fn huge_pages(&self, cell: u32, size: u32, name: &str) -> String {
        if self.cells().is_empty() {
            format!("sys/kernel/mm/hugepages/hugepages-{size}kB/{name}")
        } else {
            format!("sys/devices/system/node/node{cell}/hugepages/hugepages-{size}kB/{name}")
        }
    }

    /// The sizes of pages the host has, in KiB, the system's own first.
    pub fn page_sizes(&self) -> Vec<u32> {
        let mut huge: Vec<u32> = std::fs::read_dir(self.path("sys/kernel/mm/hugepages"))
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let name = entry.ok()?.file_name();
                name.to_str()?.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()
            })
            .collect();
        huge.sort_unstable();
        huge.insert(0, system_page());
        huge
    }

    /// Free pages of the sizes asked for, in KiB, cell by cell (`virNodeGetFreePages`).
    pub fn node_free_pages(&self, sizes: &[u32], start: i32, count: u32) -> Result<Vec<u64>> {
        let mut free = Vec::new();
        for cell in self.cells_from(start)?.into_iter().take(count as usize) {
            for &size in sizes {
                free.push(if size == system_page() {
                    self.memory_of(cell, "MemFree")? / u64::from(size)
                } else {
                    let file = self.huge_pages(cell, size, "free_hugepages");
                    self.number(&file).ok_or_else(|| no_such_pages(size, cell))?
                });
            }
        }
        Ok(free)
    }

    /// Changes how many huge pages of each size the cells keep; answers with how many pools it changed
    /// (`virNodeAllocPages`).
    pub fn node_alloc_pages(
        &self,
        sizes: &[u32],
        counts: &[u64],
        start: i32,
        cells: u32,
        flags: u32,
    ) -> Result<i32> {
        let mut changed = 0;
        for cell in self.cells_from(start)?.into_iter().take(cells as usize) {
            for (&size, &count) in sizes.iter().zip(counts) {
                if size == system_page() {
                    let what = "system pages pool can't be modified";
                    return Err(Error::new(ErrorCode::OPERATION_UNSUPPORTED, what));
                }
                let file = self.huge_pages(cell, size, "nr_hugepages");
                let present: u64 = self.number(&file).ok_or_else(|| no_such_pages(size, cell))?;
                let wanted = if flags & NODE_ALLOC_PAGES_SET != 0 { count } else { present + count };
                let path = self.path(&file);
                std::fs::write(&path, wanted.to_string()).map_err(|cause| {
                    Error::system(format!("Unable to write to: {}", path.display()), &cause)
                })?;
                let kept: u64 = self.number(&file).unwrap_or(present);
                if kept != wanted {
                    let what = format!("Unable to allocate {wanted} pages. Allocated only {kept}");
                    return Err(Error::operation_failed(what));
                }
                changed += 1;
            }
        }
        Ok(changed)
    }
}

fn no_such_pages(size: u32, cell: u32) -> Error {
    Error::operation_failed(format!("page size {size} is not available on node {cell}"))
}

/// The size of an ordinary page in KiB.
fn system_page() -> u32 {
    let known = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    known.and_then(|bytes| u32::try_from(bytes / 1024).ok()).unwrap_or(4)
}

#[cfg(test)]
mod tests {
    use super::super::tests::made_up_host;
    use super::system_page;

    #[test]
    fn memory_is_told_by_cell_and_in_all() {
        let (_folder, node) = made_up_host();
        assert_eq!(node.node_free_memory().unwrap(), 1500 * 1024);
        assert_eq!(node.node_cells_free_memory(1, 5).unwrap(), [500 * 1024]);
        assert_eq!(
            node.node_cells_free_memory(3, 1).unwrap_err().to_string(),
            "internal error: start cell 3 out of range (0-1)"
        );
        let all = node.node_memory_stats(-1).unwrap();
        assert_eq!(all.iter().map(|stat| stat.value).collect::<Vec<_>>(), [4000, 1500, 7, 9]);
        assert_eq!(node.node_memory_stats(0).unwrap().len(), 2);
        assert!(node.node_memory_stats(2).is_err());
    }

    #[test]
    fn pages_are_counted_and_kept() {
        let (_folder, node) = made_up_host();
        let free = node.node_free_pages(&[system_page(), 2048], 0, 2).unwrap();
        assert_eq!(free, [1000 / u64::from(system_page()), 3, 500 / u64::from(system_page()), 3]);
        assert!(
            node.node_free_pages(&[8], 0, 1)
                .unwrap_err()
                .to_string()
                .ends_with("page size 8 is not available on node 0")
        );
        assert_eq!(node.node_alloc_pages(&[2048], &[2], 1, 1, 0).unwrap(), 1);
        assert_eq!(
            node.number::<u64>("sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages"),
            Some(7)
        );
    }
}
