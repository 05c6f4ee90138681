//! The configuration formats of Xen's toolstacks, and their way from and to domain XML.

pub mod config;
