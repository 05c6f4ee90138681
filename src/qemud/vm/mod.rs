//! Running guests: the state machine, the jobs, starting, watching, saving and taking over QEMU processes.
//!
//! ```text
//!                define/undefine                                           (a transient domain has no
//!                  ┌───────┐                                                shut off state: it vanishes)
//!                  ▼       │
//!              ┌──────────────┐  start, create, restore   ┌──────────────────────┐
//!   ──────────▶│   shut off   │──────────────────────────▶│ paused (starting up) │
//!              └──────────────┘◀──────────────────────────└──────────────────────┘
//!                  ▲       ▲      failed: QEMU exits or        │ cont: booted, restored
//!                  │       │      refuses                      ▼
//!                  │       │                              ┌──────────┐  STOP: user, save, dump, migration,
//!                  │       │      QEMU dies: crashed      │          │  I/O error, watchdog    ┌────────┐
//!                  │       ├──────────────────────────────│ running  │────────────────────────▶│ paused │
//!                  │       │      destroy: destroyed      │          │◀────────────────────────│        │
//!                  │       │      (from any active state) └──────────┘  RESUME: unpaused,      └────────┘
//!                  │       │                                │  │  │ ▲     save canceled, …        │
//!                  │       │              SUSPEND ┌─────────┘  │  │ │                             │ saved,
//!                  │       │                      ▼            │  │ └── reset + cont: a power-off │ migrated
//!                  │       │              ┌──────────────┐     │  │     that is to be a restart   │
//!                  │       │              │ pm suspended │     │  │                               │
//!                  │       │              └──────────────┘     │  └──────────────┐                │
//!                  │       │                  │ WAKEUP: to     │ SHUTDOWN        │ GUEST_PANICKED │
//!                  │       │                  ▼ running        ▼                 ▼                │
//!                  │       │                           ┌─────────────┐     ┌──────────┐           │
//!                  │       └───────────────────────────│ in shutdown │     │ crashed  │           │
//!                  │         QEMU gone: shutdown       └─────────────┘     └──────────┘           │
//!                  │         on_crash: destroy, restart, preserve, coredump    │                  │
//!                  └───────────────────────────────────────────────────────────┴──────────────────┘
//! ```
//!
//! QEMU says what happens to the machine (`STOP`, `RESUME`, `SHUTDOWN`, …), the kernel says when the process is
//! gone (a pidfd), and whoever asked for it has said beforehand why ([`Active::expect`](guest::Active)). So the
//! state always follows from what really happened, whoever caused it: a client, the guest, a person with `kill`.
//! [`state`] holds the edges, free of any I/O.
//!
//! Jobs: questions run beside anything; of those that change a guest one runs at a time, and the next waits
//! ([`jobs`]). A job that takes long can be watched and aborted while it runs.
//!
//! A guest outlives the helper. What a new helper must know is in the runtime folder before a client gets its
//! answer, and [`adopt`] reads it.

pub mod adopt;
pub mod agent;
pub mod beside;
pub mod dump;
pub mod events;
pub mod guest;
pub mod image;
pub mod inventory;
pub mod jobs;
pub mod launch;
pub mod process;
pub mod restore;
pub mod save;
pub mod socket;
pub mod spawn;
pub mod state;
pub mod stop;
mod wiring;

pub use wiring::vcpu_threads;
