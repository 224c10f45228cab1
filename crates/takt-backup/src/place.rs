//! How far a repository is from what it saves: a copy on the same disk is half a backup.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Where a folder lies, seen from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Nearness {
    /// Both are gone when the disk is gone.
    SameDisk,
    /// Another disk (or part of one) of this machine.
    OtherDisk,
    /// Reached over the network.
    Network,
    /// It cannot be told.
    Unknown,
}

impl Nearness {
    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SameDisk => "same_disk",
            Self::OtherDisk => "other_disk",
            Self::Network => "network",
            Self::Unknown => "unknown",
        }
    }

    /// From what is stored.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let all = [Self::SameDisk, Self::OtherDisk, Self::Network];
        all.into_iter().find(|n| n.name() == name).unwrap_or(Self::Unknown)
    }
}

/// Kinds of file systems that are reached over a network, by their magic numbers: NFS, SMB, CIFS, SMB2, AFS, Ceph, 9p.
const NETWORK: [u64; 7] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x5346_414f, 0x00c3_6400, 0x0102_1997];
/// Programs stand behind these: on this machine, or elsewhere.
const FUSE: u64 = 0x6573_5546;

/// Where `repository` lies, seen from `data_dir`. What does not exist yet will lie where its nearest folder lies.
#[must_use]
pub fn nearness(data_dir: &Path, repository: &Path) -> Nearness {
    let device = |path: &Path| std::fs::metadata(existing(path)).map(|meta| meta.dev());
    let (Ok(here), Ok(there)) = (device(data_dir), device(repository)) else { return Nearness::Unknown };
    if here == there {
        return Nearness::SameDisk;
    }
    let Ok(system) = rustix::fs::statfs(existing(repository)) else { return Nearness::Unknown };
    match system.f_type.cast_unsigned() & 0xffff_ffff {
        FUSE => Nearness::Unknown,
        kind if NETWORK.contains(&kind) => Nearness::Network,
        _ => Nearness::OtherDisk,
    }
}

fn existing(path: &Path) -> PathBuf {
    let there = path.ancestors().find(|p| !p.as_os_str().is_empty() && p.exists());
    there.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_sibling_is_on_the_same_disk_and_memory_is_not() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(nearness(dir.path(), &dir.path().join("not/made/yet")), Nearness::SameDisk);
        let memory = Path::new("/dev/shm");
        let device = |path: &Path| std::fs::metadata(path).map(|m| m.dev()).ok();
        if memory.is_dir() && device(memory) != device(dir.path()) {
            assert_eq!(nearness(dir.path(), memory), Nearness::OtherDisk);
        }
        for kind in [Nearness::SameDisk, Nearness::OtherDisk, Nearness::Network, Nearness::Unknown] {
            assert_eq!(Nearness::from_name(kind.name()), kind);
        }
    }
}
