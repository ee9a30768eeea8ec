//! Programs that join by themselves, in whatever language: over a socket of the host's, with a token that counts once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use helix_runtime::{ModuleFlags, ModuleInfo, ModuleVersion, check_name};

use super::control::{FromProcess, Join, PREAMBLE, Receiver, Sender, ToProcess};
use super::{Link, Order, Permits, Placing, make_own};
use crate::socket::{Bound, ControlFault, Listening, is_owner};

/// A program that has joined, and is served as a module from here on.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) info: ModuleInfo,
    pub(super) order: Order,
    pub(super) made: (Arc<Link>, Vec<u8>),
}

/// Who may join as a module, and with which token.
#[derive(Debug)]
struct Invitation {
    placing: Placing,
    file: PathBuf,
    token: String,
}

/// The socket on which programs join, as long as it is there.
#[derive(Debug)]
pub(crate) struct Door {
    _listening: Listening,
}

/// The file in a module's directory in which its token stands.
const FILE: &str = "token";
/// How long a program may take to join, and how many may be about to.
const PATIENCE: Duration = Duration::from_secs(5);
const MOST: usize = 16;
/// How much a program can say of itself: services, permissions, letters of each.
const MOST_TEXTS: usize = 64;
const MOST_LETTERS: usize = 256;
const LONGEST_VERSION: usize = 64;

impl Invitation {
    fn new(placing: Placing, folder: &Path) -> Result<Self, String> {
        make_own(folder)?;
        let mut invitation = Self { placing, file: folder.join(FILE), token: String::new() };
        invitation.renew().map_err(|error| format!("{}: {error}", invitation.file.display()))?;
        Ok(invitation)
    }

    /// Makes a new token and writes it into the file, which only its owner reads. Until it is there the old one counts.
    fn renew(&mut self) -> io::Result<()> {
        let mut bytes = [0; 32];
        fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let new = self.file.with_extension("new");
        let _ = fs::remove_file(&new);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(token.as_bytes())?;
        fs::rename(new, &self.file)?;
        self.token = token;
        Ok(())
    }
}

impl Door {
    /// Lets programs in that have the token of one of these modules, which stands in the file `token` in its directory.
    pub(crate) fn open(
        path: &Path,
        invited: Vec<(String, Placing)>,
        taken: impl Fn(Joined) -> Result<(), String> + Send + Sync + 'static,
    ) -> Result<Self, ControlFault> {
        let io = |error| ControlFault::Io { path: path.into(), error };
        let bound = Bound::new(path)?;
        let mut invitations = BTreeMap::new();
        for (module, placing) in invited {
            let no_folder = || "found no `data_dir` in the table [host], expected one, for the tokens".to_string();
            let folder = placing.sandbox.data_dir.clone().ok_or_else(no_folder);
            let invitation = folder.and_then(|folder| Invitation::new(placing, &folder));
            invitations.insert(module, invitation.map_err(|error| io(io::Error::other(error)))?);
        }
        let inside = Inside { invitations: Mutex::new(invitations), taken: Box::new(taken) };
        let admit = move |stream: UnixStream, _: &AtomicBool| {
            if let Err(reason) = inside.admit(stream) {
                log::warn!(target: "helix", "a program could not join: {reason}");
            }
        };
        let turn_away = |_| {
            log::warn!(target: "helix", "a program that wants to join is turned away: {MOST} others are about to");
        };
        Ok(Self { _listening: bound.listen("join", MOST, admit, turn_away)? })
    }
}

struct Inside {
    invitations: Mutex<BTreeMap<String, Invitation>>,
    taken: Box<dyn Fn(Joined) -> Result<(), String> + Send + Sync>,
}

impl Inside {
    fn admit(&self, stream: UnixStream) -> Result<(), String> {
        let told = |error: io::Error| error.to_string();
        // One that does not read what it is told is not waited for.
        stream.set_write_timeout(Some(PATIENCE)).map_err(told)?;
        let sender = Sender::new(stream.try_clone().map_err(told)?);
        let refuse = |reason: String| {
            // Whoever is gone need not be told.
            let _ = sender.send(&ToProcess::Unwelcome { reason: reason.clone() });
            reason
        };
        (&stream).write_all(&PREAMBLE).map_err(told)?;
        if !is_owner(&stream) {
            return Err(refuse("found another user, expected the host's owner".into()));
        }
        let (join, receiver) = read_join(&stream).map_err(refuse)?;
        let (module, placing) = self.redeem(&join.token).map_err(refuse)?;
        let info = info_of(module, &join).map_err(refuse)?;
        stream.set_read_timeout(None).map_err(told)?;
        sender.send(&ToProcess::Welcome { module: info.name.into(), log: log::max_level() as usize }).map_err(told)?;
        let permits = Arc::new(Permits::new(info.name, info.permissions, placing.grant.as_deref()));
        let order = Order {
            module: info.name,
            made: None,
            deadline: placing.deadline,
            queue: placing.queue,
            meter: Arc::default(),
            permits,
        };
        let made = Link::join(&order, stream, receiver).map_err(|error| error.to_string())?;
        // The socket is closed with it, and not before the program was told.
        let _link = made.0.clone();
        (self.taken)(Joined { info, order, made }).map_err(refuse)
    }

    /// Whose token that is. It counts once: the module's next one is another.
    fn redeem(&self, token: &str) -> Result<(String, Placing), String> {
        let mut invitations = self.invitations.lock().unwrap_or_else(PoisonError::into_inner);
        // All are compared, each as a whole: how long that takes says nothing of them.
        let is_it = |invitation: &Invitation| {
            let (found, expected) = (token.as_bytes(), invitation.token.as_bytes());
            found.len() == expected.len() && found.iter().zip(expected).fold(0, |all, (a, b)| all | (a ^ b)) == 0
        };
        let found: Vec<String> =
            invitations.iter().filter(|(_, invitation)| is_it(invitation)).map(|(module, _)| module.clone()).collect();
        let known = found.into_iter().next().and_then(|module| Some((invitations.get_mut(&module)?, module)));
        let Some((invitation, module)) = known else {
            return Err(
                "found a token that is none, or that was used before, expected the one in the file `token` in the \
                        module's directory as it is now"
                    .into(),
            );
        };
        invitation.renew().map_err(|error| format!("{}: {error}", invitation.file.display()))?;
        Ok((module, invitation.placing.clone()))
    }
}

/// What a program says first, within a time. What it says after that stays in the receiver.
pub(super) fn read_join(stream: &UnixStream) -> Result<(Join, Receiver), String> {
    let (mut receiver, mut greeted, until) = (Receiver::default(), false, Instant::now() + PATIENCE);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(format!("found no token after {PATIENCE:?}, expected one"));
        }
        stream.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
        receiver.read(stream, false).map_err(|error| error.to_string())?;
        if !greeted {
            match receiver.preamble() {
                Some(PREAMBLE) => greeted = true,
                Some(found) => {
                    let (found, expected) = (found.escape_ascii(), PREAMBLE.escape_ascii());
                    return Err(format!("found the preamble \"{found}\", expected \"{expected}\""));
                }
                None => continue,
            }
        }
        match receiver.next() {
            Ok(Some(FromProcess::Join(join))) => return Ok((join, receiver)),
            Ok(Some(_)) => return Err("found another message, expected `Join`".into()),
            Ok(None) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// A text that stays. The same one is kept once, however often somebody joins with it.
fn kept(text: &str) -> &'static str {
    static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(text) {
        return known;
    }
    let text: &'static str = String::leak(text.into());
    all.insert(text);
    text
}

/// A program's module, as it describes itself.
fn info_of(module: String, join: &Join) -> Result<ModuleInfo, String> {
    let texts = [&join.provides, &join.permissions];
    let is_long = |text: &String| text.len() > MOST_LETTERS;
    let is_much = texts.iter().any(|texts| texts.len() > MOST_TEXTS || texts.iter().any(is_long));
    if is_much || is_long(&join.description) {
        return Err(format!(
            "found more than {MOST_TEXTS} services or permissions, or one of more than {MOST_LETTERS} letters"
        ));
    }
    if join.version.len() > LONGEST_VERSION {
        return Err(format!("found a version of {} letters, expected one such as \"1.0.0\"", join.version.len()));
    }
    let version = ModuleVersion::parse(kept(&join.version));
    let version =
        version.map_err(|_| format!("found the version {:?}, expected one such as \"1.0.0\"", join.version))?;
    if let Some(bad) = join.provides.iter().find(|name| !check_name(name)) {
        return Err(format!("found the service {bad:?}, expected a name such as \"net.router\""));
    }
    let all = |texts: &[String]| -> &'static [&'static str] {
        texts.iter().map(|text| kept(text)).collect::<Vec<_>>().leak()
    };
    Ok(ModuleInfo {
        version,
        description: kept(&join.description),
        provides: all(&join.provides),
        permissions: all(&join.permissions),
        // Its next version takes its place.
        flags: ModuleFlags::HOT_RELOADABLE,
        ..ModuleInfo::new(kept(&module))
    })
}

/// Reads bytes as a handshake and the messages after it. For the fuzz target `link`.
#[doc(hidden)]
pub fn link_fuzz(bytes: &[u8]) {
    let mut receiver = Receiver::default();
    for piece in bytes.chunks(7) {
        receiver.take(piece);
    }
    if receiver.preamble() != Some(PREAMBLE) {
        return;
    }
    while let Ok(Some(message)) = receiver.next::<FromProcess>() {
        if let FromProcess::Join(join) = message
            && let Ok(info) = info_of("fuzzed".into(), &join)
        {
            assert!(info.provides.iter().all(|name| check_name(name)));
        }
    }
}
