//! Giving memory back: what a busy time needed, the system shall have again when it is over.
#![allow(unsafe_code)] // one call of the C library that takes no memory of ours

/// Returns what the allocator holds and nobody uses.
pub(super) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call only looks at the allocator's own lists, under its own locks; any thread may make it.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}
