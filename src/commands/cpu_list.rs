//! Lists of host CPUs, `0-3,5,^2`, and the bitmaps that drivers take and give: a bit a CPU, the lowest first.

use crate::backend::Connection;
use crate::error::{Error, Result as CallResult};
use anyhow::{Context, Result, bail};

/// More CPUs than any host has.
const MOST: usize = 1024;

/// How many CPUs the host has, online or not.
pub fn host_cpus(connection: &dyn Connection) -> CallResult<usize> {
    let host = connection.host();
    let total = match host.node_cpu_map(false, false, 0) {
        Ok(map) => map.total,
        Err(error) if error.is_unsupported() => {
            let node = host.node_info()?;
            node.nodes * node.sockets * node.cores * node.threads
        }
        Err(error) => return Err(error),
    };
    Ok(usize::try_from(total).unwrap_or_default())
}

/// The length in bytes of the map of so many CPUs.
pub fn map_length(cpus: usize) -> usize {
    cpus.div_ceil(8)
}

/// Reads a list into a map of `cpus` CPUs; `r` stands for all of them.
pub fn parse(list: &str, cpus: usize) -> Result<Vec<u8>> {
    let mut bits = vec![false; cpus.max(MOST)];
    if list == "r" {
        bits[..cpus].fill(true);
    } else {
        read(list, &mut bits).with_context(|| format!("Invalid cpulist '{list}'"))?;
    }
    match bits.iter().rposition(|&bit| bit) {
        None => bail!("Invalid cpulist '{list}'"),
        Some(last) if last >= cpus => {
            bail!("CPU {last} in cpulist '{list}' exceed the maxcpu {cpus}")
        }
        Some(_) => {}
    }
    let byte = |bits: &[bool]| (0..bits.len()).fold(0, |byte, place| byte | u8::from(bits[place]) << place);
    Ok(bits[..cpus].chunks(8).map(byte).collect())
}

fn read(list: &str, bits: &mut [bool]) -> CallResult<()> {
    let wrong = || Error::invalid_argument(format!("Failed to parse bitmap '{list}'"));
    let place = |text: &str| -> CallResult<usize> {
        let digits = text.trim();
        let number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let place = number.then(|| digits.parse().ok()).flatten();
        place.filter(|&place: &usize| place < bits.len()).ok_or_else(wrong)
    };
    let mut parts = Vec::new();
    // A comma may end the list.
    for part in list.strip_suffix(',').filter(|list| !list.is_empty()).unwrap_or(list).split(',') {
        let part = part.trim();
        let (value, range) = match part.strip_prefix('^') {
            Some(range) => (false, range),
            None => (true, part),
        };
        let (first, last) = match range.split_once('-') {
            Some((first, last)) if value => (place(first)?, place(last)?),
            _ => (place(range)?, place(range)?),
        };
        if first > last {
            return Err(wrong());
        }
        parts.push((first..=last, value));
    }
    for (range, value) in parts {
        bits[range].fill(value);
    }
    Ok(())
}

/// Whether a CPU is in a map.
pub fn contains(map: &[u8], cpu: usize) -> bool {
    map.get(cpu / 8).is_some_and(|byte| byte & (1 << (cpu % 8)) != 0)
}

/// The list of the CPUs in a map, as far as the host has them.
pub fn format(map: &[u8], cpus: usize) -> String {
    let mut ranges = Vec::new();
    let mut cpu = 0;
    while cpu < cpus {
        if !contains(map, cpu) {
            cpu += 1;
            continue;
        }
        let first = cpu;
        while cpu < cpus && contains(map, cpu) {
            cpu += 1;
        }
        ranges.push(match cpu - first {
            1 => first.to_string(),
            _ => format!("{first}-{}", cpu - 1),
        });
    }
    ranges.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_maps_and_back() {
        for (list, map) in [("0-3,^2", vec![0b1011, 0]), ("8", vec![0, 1]), ("r", vec![0xff, 0b1111])] {
            assert_eq!(parse(list, 12).unwrap(), map, "{list}");
        }
        assert_eq!(format(&[0b1011, 0b11], 9), "0-1,3,8");
        assert_eq!(format(&[0xff], 2), "0-1");
    }

    #[test]
    fn bad_lists_are_refused_by_name() {
        let refusal = |list: &str| format!("{:#}", parse(list, 8).unwrap_err());
        assert_eq!(refusal("x"), "Invalid cpulist 'x': invalid argument: Failed to parse bitmap 'x'");
        assert_eq!(refusal("0-"), "Invalid cpulist '0-': invalid argument: Failed to parse bitmap '0-'");
        assert_eq!(refusal("^1"), "Invalid cpulist '^1'");
        assert_eq!(refusal("0-99"), "CPU 99 in cpulist '0-99' exceed the maxcpu 8");
    }
}
