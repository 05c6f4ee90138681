//! What differs between the releases of xend.
//!
//! A release is known by the format number in the node's description and, from format 4 on, by the version of the
//! hypervisor beside it: they were shipped together. What the description holds sets the bounds of what to believe.

use crate::backend::xen::sxp::Sxp;
use std::fmt;

/// A release: 302 is 3.0.2, 304 is 3.0.4, 310 is 3.1, 441 is 4.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(u32);

impl Release {
    /// Reads it off the node's description.
    pub fn of(node: &Sxp) -> Release {
        match node.number("xend_config_format").unwrap_or(1) {
            1 => Release(302),
            2 => Release(303),
            3 => Release(304),
            _ => {
                let part = |name| node.number(name).unwrap_or(0).clamp(0, 9) as u32;
                let version = part("xen_major") * 100 + part("xen_minor") * 10 + third_part(node);
                Release(version.clamp(least_of(node), most_of(node)))
            }
        }
    }

    /// Keeps domains that do not run, and knows a domain by its uuid.
    pub fn manages_domains(self) -> bool {
        self >= Release(304)
    }

    /// Serves several connections at once, so that one may be kept.
    pub fn serves_many(self) -> bool {
        self >= Release(304)
    }

    /// Holds up everybody for minutes while it looks for memory that there is not.
    pub fn hangs_without_memory(self) -> bool {
        (303..320).contains(&self.0)
    }

    /// Understands which CPUs are meant when asked over HTTP; older ones take every answer for all of them.
    pub fn pins(self) -> bool {
        self.0 >= 340
    }

    /// Lets names have slashes.
    pub fn takes_slashes(self) -> bool {
        self.0 < 400
    }

    /// Has the credit scheduler, its parameters and its cap.
    pub fn has_credit_scheduler(self) -> bool {
        self.0 >= 303
    }

    /// Heeds a cap.
    pub fn heeds_cap(self) -> bool {
        self.0 >= 320
    }

    /// Changes the medium of a drive over HTTP.
    pub fn changes_media(self) -> bool {
        (310..400).contains(&self.0)
    }

    /// Knows of disks served by blktap.
    pub fn has_tap(self) -> bool {
        self.0 >= 303
    }

    /// Has virtual frame buffers for paravirtual guests, as `type vnc` or, later, as `vnc 1`.
    pub fn has_frame_buffer(self) -> bool {
        self.0 >= 304
    }

    /// Wants drives named with their kind, `hdc:cdrom`.
    pub fn names_kind_of_drive(self) -> bool {
        self.0 >= 303
    }

    /// Garbles what is no ASCII in an image as soon as it reads it.
    pub fn garbles_images(self) -> bool {
        (304..310).contains(&self.0)
    }

    /// What a status number above four means: crashed from 3.4 on, unknown before.
    pub fn has_crashed_status(self) -> bool {
        self.0 >= 340
    }
}

/// The first release that has what this description of a node has.
fn least_of(node: &Sxp) -> u32 {
    let is_new = ["free_cpus", "cpu_topology", "numa_info", "xen_commandline"];
    if is_new.iter().any(|name| node.child(name).is_some()) { 400 } else { 310 }
}

/// The last release that lacks what it lacks.
fn most_of(node: &Sxp) -> u32 {
    let most = match (node.child("sockets_per_node"), node.child("virt_caps")) {
        (Some(_), _) => 319,
        (None, None) => 339,
        (None, Some(_)) => 449,
    };
    most.max(least_of(node))
}

/// The number behind the dot of `.4-1` or the hyphen of `-2`.
fn third_part(node: &Sxp) -> u32 {
    let extra = node.get("xen_extra").unwrap_or_default();
    let digits: String = extra.chars().skip_while(|c| !c.is_ascii_digit()).take(1).collect();
    digits.parse().unwrap_or(0)
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, third) = (self.0 / 100, self.0 / 10 % 10, self.0 % 10);
        match third {
            0 => write!(f, "{major}.{minor}"),
            third => write!(f, "{major}.{minor}.{third}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::xen::sxp::read_answer;

    #[test]
    fn releases_are_known_by_format_and_version() {
        for (node, shown) in [
            ("(node (xen_major 3) (xen_minor 0) (xen_extra -2))", "3.0.2"),
            ("(node (xen_major 3) (xen_minor 0) (xen_extra .3-1) (xend_config_format 2))", "3.0.3"),
            ("(node (xen_major 3) (xen_minor 0) (xen_extra .4) (xend_config_format 3))", "3.0.4"),
            ("(node (xen_major 3) (xen_minor 1) (xen_extra .0) (xend_config_format 4))", "3.1"),
            (
                "(node (xen_major 3) (xen_minor 4) (xen_extra .4) (virt_caps hvm) (xend_config_format 4))",
                "3.4.4",
            ),
            (
                "(node (xen_major 4) (xen_minor 1) (xen_extra .6.1) (virt_caps hvm) (xend_config_format 4))",
                "4.1.6",
            ),
            ("(node (xend_config_format 4))", "3.1"),
            // Another hypervisor than it came with.
            ("(node (xen_major 3) (xen_minor 4) (sockets_per_node 1) (xend_config_format 4))", "3.1.9"),
            ("(node (xen_major 3) (xen_minor 4) (xend_config_format 4))", "3.3.9"),
            (
                "(node (xen_major 4) (xen_minor 17) (free_cpus 0) (virt_caps '') (xend_config_format 4))",
                "4.4.9",
            ),
        ] {
            let node = read_answer(node.as_bytes()).unwrap().unwrap();
            assert_eq!(Release::of(&node).to_string(), shown);
        }
    }

    /// A choice, and what it is in each release of the table.
    type Row = (&'static str, fn(Release) -> bool, [bool; 7]);

    #[test]
    fn choices_change_where_the_protocol_did() {
        let releases = [302, 303, 304, 310, 341, 416, 444].map(Release);
        let table: [Row; 4] = [
            ("manages", Release::manages_domains, [false, false, true, true, true, true, true]),
            ("memory", Release::hangs_without_memory, [false, true, true, true, false, false, false]),
            ("pins", Release::pins, [false, false, false, false, true, true, true]),
            ("media", Release::changes_media, [false, false, false, true, true, false, false]),
        ];
        for (name, choice, expected) in table {
            assert_eq!(releases.map(choice), expected, "{name}");
        }
    }
}
