//! Disks that go bad, and what heals them.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A small disk in memory. It is unmounted with this value.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// `None`, said on the terminal, where this may not be done.
    pub fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = run("mount", &["-t", "tmpfs", "-o", "size=16m", "none"], folder.path());
        mounted.then_some(Self { folder })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all that is free.
    pub fn fill(&self) {
        let mut ballast = File::create(self.ballast()).expect("a file");
        loop {
            match ballast.write(&[0; 4096]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("the disk is not full but broken: {error}"),
            }
        }
    }

    /// Gives it back.
    pub fn empty(&self) {
        std::fs::remove_file(self.ballast()).expect("the ballast");
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a console that is being killed may have its cache open still.
        run("umount", &["-l"], self.folder.path());
    }
}

/// Files that can't be written, not even by root or whoever has them open. They can again with the end of this value.
pub struct Immutable {
    files: Vec<PathBuf>,
}

impl Immutable {
    /// `None`, said on the terminal, where this may not be done.
    pub fn make(files: Vec<PathBuf>) -> Option<Self> {
        let all = files.iter().all(|file| run("chattr", &["+i"], file));
        // What was made immutable so far is mended either way.
        let made = Self { files };
        all.then_some(made)
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        for file in &self.files {
            run("chattr", &["-i"], file);
        }
    }
}

/// Whether it was done.
fn run(program: &str, arguments: &[&str], path: &Path) -> bool {
    let output = Command::new(program).args(arguments).arg(path).output();
    let done = output.as_ref().is_ok_and(|output| output.status.success());
    if !done {
        println!("skipped: {program} can't be used here: {output:?}");
    }
    done
}
