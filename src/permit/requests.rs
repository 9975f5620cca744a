//! The folder in which requests wait for a second person. Who wrote a file is what the kernel says of it, never what stands in it.
//!
//! The folder is root's and sticky: whoever may write there can neither change nor take away what another has written. `ID.request` is written
//! by who asks, `ID.approval.UID` by who approves, `ID.run` by who carries it out, once. Nothing is ever written over.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, open, openat, unlinkat};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use super::policy::root_alone;
use super::{Policy, PolicyError};
use crate::model::clean;

/// The longest that a file is read, in bytes.
const LONGEST: u64 = 1 << 20;
/// How much of the hash, in characters, a request is called by.
const ID: usize = 16;

/// The folder, open.
#[derive(Debug)]
pub struct Requests {
    path: PathBuf,
    folder: OwnedFd,
}

/// A request as it lies in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedFile {
    /// What it is called by: the beginning of its hash.
    pub id: String,
    /// The hash of its text, SHA-256, hexadecimal.
    pub sha256: String,
    /// Whose file it is.
    pub owner: u32,
    /// Its text.
    pub bytes: Vec<u8>,
}

/// Why the folder, or a file in it, cannot be used. Displays as a sentence.
#[derive(Debug, thiserror::Error)]
pub enum RequestsError {
    /// The policy has no second person.
    #[error("the policy names no folder of requests: nothing needs a second person")]
    NoFolder,
    /// The folder does not keep the one from the other's files.
    #[error("the folder of requests cannot be used: {path}: {why}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A folder above can be changed by others.
    #[error("the folder of requests cannot be used: {0}")]
    Above(PolicyError),
    /// A file cannot be used.
    #[error("{path}: {why}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is no such request.
    #[error("there is no request {0}")]
    NoRequest(String),
}

impl Requests {
    /// The policy's folder.
    ///
    /// # Errors
    /// There is none, or others than root could put another in its place, or take the files in it away.
    pub fn open(policy: &Policy) -> Result<Self, RequestsError> {
        let path = policy.requests().ok_or(RequestsError::NoFolder)?.dir.clone();
        let wrong = |why: String| RequestsError::Folder { path: path.clone(), why };
        if !path.is_absolute() {
            return Err(wrong("it is no absolute path".to_owned()));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = open(&path, flags, Mode::empty()).map_err(|errno| wrong(std::io::Error::from(errno).to_string()))?;
        let stat = fstat(&folder).map_err(|errno| wrong(std::io::Error::from(errno).to_string()))?;
        match (stat.st_uid, stat.st_mode & 0o7777) {
            (0, mode) if mode & 0o1000 == 0 => return Err(wrong(format!("its mode is {mode:o}, without the sticky bit"))),
            (0, mode) if mode & 0o002 != 0 => return Err(wrong(format!("its mode is {mode:o}: everybody can write there"))),
            (0, _) => {}
            (owner, _) => return Err(wrong(format!("it belongs to user {owner}, not to root"))),
        }
        let real = path.canonicalize().map_err(|why| wrong(why.to_string()))?;
        for above in path.ancestors().skip(1).chain(real.ancestors().skip(1)) {
            let meta = std::fs::metadata(above).map_err(|why| wrong(why.to_string()))?;
            root_alone(above, &meta).map_err(RequestsError::Above)?;
        }
        Ok(Self { path, folder })
    }

    /// Where a request lies.
    pub fn place(&self, id: &str) -> PathBuf {
        self.path.join(format!("{id}.request"))
    }

    /// The request that somebody means: by its name, or by its file in this folder.
    ///
    /// # Errors
    /// It is neither.
    pub fn named(&self, word: &str) -> Result<String, RequestsError> {
        let path = PathBuf::from(word);
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let elsewhere = path.parent().is_some_and(|parent| !parent.as_os_str().is_empty() && parent != self.path);
        if elsewhere {
            return Err(RequestsError::File { path, why: format!("only a file in {} is a request", self.path.display()) });
        }
        let id = name.strip_suffix(".request").unwrap_or(name);
        let plain = id.len() == ID && id.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
        if plain { Ok(id.to_owned()) } else { Err(RequestsError::NoRequest(clean(word))) }
    }

    /// Puts a request there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn ask(&self, bytes: &[u8]) -> Result<AskedFile, RequestsError> {
        let sha256 = hash(bytes);
        let id = sha256[..ID].to_owned();
        self.put(&format!("{id}.request"), bytes)?;
        Ok(AskedFile { id, sha256, owner: rustix::process::getuid().as_raw(), bytes: bytes.to_vec() })
    }

    /// Reads a request, once: what was read is what is shown, hashed and done.
    ///
    /// # Errors
    /// There is none of this name, or its name is not of its text.
    pub fn read(&self, id: &str) -> Result<AskedFile, RequestsError> {
        let name = format!("{id}.request");
        let (owner, bytes) = self.get(&name)?.ok_or_else(|| RequestsError::NoRequest(id.to_owned()))?;
        let sha256 = hash(&bytes);
        if sha256.get(..ID) != Some(id) {
            return Err(self.wrong(&name, "it was changed: its name is not the hash of its text"));
        }
        Ok(AskedFile { id: id.to_owned(), sha256, owner, bytes })
    }

    /// The requests that lie there, by name.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn all(&self) -> Result<Vec<String>, RequestsError> {
        let ids = self.names()?.into_iter().filter_map(|name| name.strip_suffix(".request").map(str::to_owned));
        Ok(ids.filter(|id| self.named(id).is_ok()).collect())
    }

    /// Puts our approval there.
    pub(super) fn approve(&self, id: &str, bytes: &[u8]) -> Result<(), RequestsError> {
        self.put(&approval(id, rustix::process::getuid().as_raw()), bytes)
    }

    /// Takes our approval away, as it could not be written down.
    ///
    /// # Errors
    /// It is there still.
    pub fn take_back(&self, asked: &AskedFile, approval_of: Option<u32>) -> Result<(), RequestsError> {
        let name = approval_of.map_or_else(|| format!("{}.request", asked.id), |uid| approval(&asked.id, uid));
        unlinkat(&self.folder, &name, AtFlags::empty()).map_err(|errno| self.failed(&name, errno))
    }

    /// The approvals of a request: whose file each is, and its text. What is no plain file of one user alone is none.
    pub(super) fn approvals(&self, id: &str) -> Result<Vec<(u32, Vec<u8>)>, RequestsError> {
        let beginning = format!("{id}.approval.");
        let names = self.names()?.into_iter().filter(|name| name.starts_with(&beginning));
        Ok(names.filter_map(|name| self.get(&name).ok().flatten()).collect())
    }

    /// Marks a request as carried out, before it is.
    ///
    /// # Errors
    /// It was before, or that cannot be written.
    pub(super) fn spend(&self, id: &str) -> Result<(), RequestsError> {
        self.put(&format!("{id}.run"), b"")
    }

    /// Whether it was carried out, or somebody says so.
    pub fn spent(&self, id: &str) -> bool {
        let there = rustix::fs::statat(&self.folder, format!("{id}.run"), AtFlags::SYMLINK_NOFOLLOW);
        !matches!(there, Err(Errno::NOENT))
    }

    /// Writes a file that is not there yet; others can read it.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), RequestsError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(&self.folder, name, flags, Mode::from_raw_mode(0o600)).map_err(|errno| self.failed(name, errno))?;
        let mut file = File::from(fd);
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        // Whole before anybody else sees it, whatever the umask is.
        let written = written.and_then(|()| rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644)).map_err(Into::into));
        written.map_err(|why| self.wrong(name, &why.to_string()))
    }

    /// A plain file that its owner alone can change, and has under no other name; `None`: there is nothing of this name.
    fn get(&self, name: &str) -> Result<Option<(u32, Vec<u8>)>, RequestsError> {
        // A pipe of somebody's would be waited for.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = match openat(&self.folder, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(self.wrong(name, "it is a link")),
            Err(errno) => return Err(self.failed(name, errno)),
        };
        let stat = fstat(&fd).map_err(|errno| self.failed(name, errno))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(self.wrong(name, "it is no plain file"));
        }
        if stat.st_nlink != 1 {
            return Err(self.wrong(name, "it has another name elsewhere"));
        }
        if stat.st_mode & 0o022 != 0 {
            return Err(self.wrong(name, &format!("others can write to it: its mode is {:o}", stat.st_mode & 0o7777)));
        }
        let mut bytes = Vec::new();
        File::from(fd).take(LONGEST).read_to_end(&mut bytes).map_err(|why| self.wrong(name, &why.to_string()))?;
        Ok(Some((stat.st_uid, bytes)))
    }

    fn names(&self) -> Result<Vec<String>, RequestsError> {
        let failed = |errno: Errno| RequestsError::Folder { path: self.path.clone(), why: std::io::Error::from(errno).to_string() };
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            names.extend(entry.file_name().to_str().map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    fn wrong(&self, name: &str, why: &str) -> RequestsError {
        RequestsError::File { path: self.path.join(name), why: why.to_owned() }
    }

    fn failed(&self, name: &str, errno: Errno) -> RequestsError {
        self.wrong(name, &std::io::Error::from(errno).to_string())
    }
}

fn approval(id: &str, uid: u32) -> String {
    format!("{id}.approval.{uid}")
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A folder as if it had passed.
    fn requests() -> (tempfile::TempDir, Requests) {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = open(dir.path(), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).expect("open");
        let path = dir.path().to_owned();
        (dir, Requests { path, folder })
    }

    #[test]
    fn a_request_is_called_by_the_hash_of_its_text() {
        let (dir, requests) = requests();
        let asked = requests.ask(b"abc").expect("written");
        assert_eq!(asked.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(requests.read(&asked.id).expect("readable"), asked);
        assert_eq!(requests.all().expect("readable"), std::slice::from_ref(&asked.id));
        assert!(requests.ask(b"abc").is_err(), "nothing is written over");
        std::fs::write(dir.path().join(format!("{}.request", asked.id)), "abd").expect("written");
        assert!(
            requests.read(&asked.id).expect_err("changed").to_string().ends_with("it was changed: its name is not the hash of its text")
        );
    }

    #[test]
    fn only_a_plain_file_of_one_user_alone_counts() {
        let (dir, requests) = requests();
        let asked = requests.ask(b"abc").expect("written");
        let name = |uid: u32| dir.path().join(approval(&asked.id, uid));
        std::fs::write(dir.path().join("text"), "abc").expect("written");
        symlink(dir.path().join("text"), name(1)).expect("a link");
        std::fs::hard_link(dir.path().join("text"), name(2)).expect("a name");
        std::fs::create_dir(name(3)).expect("a folder");
        rustix::fs::mknodat(rustix::fs::CWD, name(4), FileType::Fifo, Mode::from_raw_mode(0o644), 0).expect("a pipe");
        std::fs::write(name(5), "abc").expect("written");
        std::fs::set_permissions(name(5), PermissionsExt::from_mode(0o664)).expect("a mode");
        assert_eq!(requests.approvals(&asked.id).expect("readable"), []);
        requests.approve(&asked.id, b"yes").expect("written");
        let us = rustix::process::getuid().as_raw();
        assert_eq!(requests.approvals(&asked.id).expect("readable"), [(us, b"yes".to_vec())]);
    }

    #[test]
    fn it_is_spent_once() {
        let (_dir, requests) = requests();
        assert!(!requests.spent("0123456789abcdef"));
        requests.spend("0123456789abcdef").expect("the first time");
        assert!(requests.spent("0123456789abcdef"));
        assert!(requests.spend("0123456789abcdef").is_err());
    }

    #[test]
    fn a_request_is_meant_by_its_name_or_its_file_here() {
        let (dir, requests) = requests();
        let id = "0123456789abcdef";
        let here = dir.path().join(format!("{id}.request"));
        for word in [id, "0123456789abcdef.request", here.to_str().expect("a text")] {
            assert_eq!(requests.named(word).expect("it is meant"), id, "{word}");
        }
        for word in ["/tmp/0123456789abcdef.request", "../0123456789abcdef", "0123456789ABCDEF", "0123", "", "/"] {
            assert!(requests.named(word).is_err(), "{word}");
        }
    }
}
