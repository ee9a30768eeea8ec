//! A socket of a host's owner: made where nobody else can put one, and listened on until it is let go.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Why a host has no socket there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlFault {
    /// Another one is there already.
    #[error("{}: a host is running there already; stop it, or name another socket (`--socket`; for programs that join `join` in the table [host])", .0.display())]
    Taken(PathBuf),
    /// Something else has that name.
    #[error("{}: found something that is no socket, expected nothing, or a socket that a host has left; name another", .0.display())]
    Other(PathBuf),
    /// Others may put something else in the place of the socket.
    #[error("{}: others may write into the directory (mode {mode:o}, owner {owner}), expected one's own; `chmod go-w` it, or name another", .path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// Whose it is.
        owner: u32,
    },
    /// The system refuses.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// A socket on which nobody is served yet: whoever connects waits.
#[derive(Debug)]
pub struct Bound {
    path: PathBuf,
    listener: UnixListener,
}

impl Bound {
    /// Makes the socket, for its owner alone.
    ///
    /// # Errors
    /// When a host listens there already, something else has that name, or the directory is not its owner's alone.
    pub fn new(path: &Path) -> Result<Self, ControlFault> {
        let io = |error| ControlFault::Io { path: path.into(), error };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
        let found = fs::metadata(folder).map_err(io)?;
        let mode = found.permissions().mode() & 0o777;
        if mode & 0o022 != 0 || found.uid() != rustix::process::geteuid().as_raw() {
            return Err(ControlFault::Open { path: folder.into(), mode, owner: found.uid() });
        }
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => return Err(ControlFault::Other(path.into())),
            Ok(_) => match UnixStream::connect(path) {
                // Of a host that was killed.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path).map_err(io)?,
                _ => return Err(ControlFault::Taken(path.into())),
            },
            Err(_) => {}
        }
        let listener = UnixListener::bind(path).map_err(io)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(io)?;
        Ok(Self { path: path.into(), listener })
    }

    /// Has each that connects served in a thread of its own, `most` of them at a time; who comes then is turned away.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub(crate) fn listen(
        self,
        name: &str,
        most: usize,
        serves: impl Fn(UnixStream, &AtomicBool) + Send + Sync + 'static,
        turns_away: impl Fn(UnixStream) + Send + 'static,
    ) -> Result<Listening, ControlFault> {
        let Self { path, listener } = self;
        let io = |error| ControlFault::Io { path: path.clone(), error };
        let inode = fs::symlink_metadata(&path).map_err(io)?.ino();
        let (ended, served) = (Arc::new(AtomicBool::new(false)), Arc::new(Serving { name: name.into(), serves }));
        let (ends, waits) = (ended.clone(), listener.try_clone().map_err(io)?);
        let thread = thread::Builder::new().name(format!("helix-{name}"));
        let thread = thread.spawn(move || served.listen(&waits, &ends, most, &turns_away)).map_err(io)?;
        Ok(Listening { path, inode, ended, listener, thread: Some(thread) })
    }
}

/// A socket that is listened on, as long as it is there.
#[derive(Debug)]
pub(crate) struct Listening {
    path: PathBuf,
    inode: u64,
    ended: Arc<AtomicBool>,
    listener: UnixListener,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // It waits for the next that connects; that ends so, wherever the file is.
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        // Another host may have made one of its own there.
        if fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// What is done with those who connect.
struct Serving<S> {
    name: String,
    serves: S,
}

/// One of those who are served at a time, until it goes.
struct Served(Arc<AtomicUsize>);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S: Fn(UnixStream, &AtomicBool) + Send + Sync + 'static> Serving<S> {
    fn listen(
        self: &Arc<Self>,
        listener: &UnixListener,
        ended: &Arc<AtomicBool>,
        most: usize,
        turns_away: &impl Fn(UnixStream),
    ) {
        let count = Arc::new(AtomicUsize::new(0));
        for stream in listener.incoming() {
            if ended.load(Ordering::Acquire) {
                return;
            }
            let Ok(stream) = stream else {
                // Such as too many open files: until one is closed.
                thread::sleep(Duration::from_millis(10));
                continue;
            };
            let before = count.fetch_add(1, Ordering::Relaxed);
            let one = Served(count.clone());
            if before >= most {
                turns_away(stream);
                continue;
            }
            let (serving, ended) = (self.clone(), ended.clone());
            let serve = move || {
                let _one = one;
                (serving.serves)(stream, &ended);
            };
            // Who finds no thread is not served either.
            drop(thread::Builder::new().name(format!("helix-{}-one", self.name)).spawn(serve));
        }
    }
}

/// Whether whoever is at the other end is the host's owner, or root.
pub(crate) fn is_owner(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid();
    rustix::net::sockopt::socket_peercred(stream).is_ok_and(|peer| peer.uid == own || peer.uid.is_root())
}
