//! What tests of several rooms share: a disk whose power can be cut. Tests only; nothing here ships.

mod crash_vfs;
mod disk;

pub use crash_vfs::CrashVfs;
pub use disk::{Disk, SECTOR};
