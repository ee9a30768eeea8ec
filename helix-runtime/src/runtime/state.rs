//! A module's state outside of it: what `on_save` gave and `on_restore` takes back.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::context::Context;
use crate::descriptor::{Entry, EntryKind, SaveFn, Status};
use crate::error::{IpcError, ModuleError, ModuleResult};
use crate::runtime::Runtime;
use crate::runtime::health::Panicked;
use crate::runtime::inner::Inner;
use crate::runtime::instance::Instance;
use crate::runtime::patience::Patience;
use crate::schema::{FNV_OFFSET, Shape, fnv};

/// What a module has saved. The version and the schema say which `on_restore` can take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedState {
    /// The module that saved it.
    pub module: String,
    /// The version that its `on_save` names.
    pub version: u32,
    /// The hash of the saved type's schema.
    pub schema: u64,
    /// The state, in postcard.
    pub bytes: Vec<u8>,
}

/// Why bytes are no saved state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateFault {
    /// Something else stands where it should begin.
    #[error("found no saved state, expected one, which begins with `helix-state 1`")]
    Magic,
    /// The header is cut off, or has a field that is none.
    #[error(
        "the header of the saved state is damaged: found {found:?}, expected module, version, schema, length and fnv"
    )]
    Header {
        /// What stands there.
        found: String,
    },
    /// The state is shorter or longer than the header says.
    #[error("the saved state of `{module}` is cut off or goes on: found {found} bytes, expected {expected}")]
    Length {
        /// The module.
        module: String,
        /// How many bytes follow the header.
        found: usize,
        /// How many should.
        expected: usize,
    },
    /// The bytes are not those that were saved.
    #[error("the saved state of `{module}` is damaged: its checksum is {found:016x}, expected {expected:016x}")]
    Checksum {
        /// The module.
        module: String,
        /// What the bytes give.
        found: u64,
        /// What the header says.
        expected: u64,
    },
}

const MAGIC: &str = "helix-state 1 ";

impl SavedState {
    /// In an envelope, as it is kept in a file: a line of text, and the state's bytes.
    ///
    /// ```text
    /// helix-state 1 module=counter version=2 schema=8c1f29a7d0e4b356 length=5 fnv=a1b2c3d4e5f60718
    /// ```
    ///
    /// `fnv` is FNV-1a (64 bits) over the bytes.
    ///
    /// ```
    /// use helix_runtime::SavedState;
    /// let state = SavedState { module: "counter".into(), version: 2, schema: 7, bytes: vec![1, 2, 3] };
    /// assert_eq!(SavedState::from_envelope(&state.to_envelope()), Ok(state));
    /// ```
    pub fn to_envelope(&self) -> Vec<u8> {
        let mut envelope = self.header().into_bytes();
        envelope.extend_from_slice(&self.bytes);
        envelope
    }

    fn header(&self) -> String {
        let (length, fnv) = (self.bytes.len(), fnv(&self.bytes, FNV_OFFSET));
        let Self { module, version, schema, .. } = self;
        format!("{MAGIC}module={module} version={version} schema={schema:016x} length={length} fnv={fnv:016x}\n")
    }

    /// What is in an envelope.
    ///
    /// # Errors
    /// What is wrong with it: it is another thing, cut off, or damaged.
    pub fn from_envelope(envelope: &[u8]) -> Result<Self, StateFault> {
        if !envelope.starts_with(MAGIC.as_bytes()) {
            return Err(StateFault::Magic);
        }
        // A name has at most 64 bytes, and each number has its limit.
        let head = &envelope[..envelope.len().min(256)];
        let shown = || StateFault::Header { found: String::from_utf8_lossy(head).into_owned() };
        let end = head.iter().position(|byte| *byte == b'\n').ok_or_else(shown)?;
        let (line, bytes) = (core::str::from_utf8(&head[..end]).map_err(|_| shown())?, &envelope[end + 1..]);
        let mut fields = line[MAGIC.len()..].split(' ');
        let mut field = |key: &str| fields.next()?.strip_prefix(key)?.strip_prefix('=');
        let mut read = || {
            let module = field("module").filter(|module| crate::check_name(module))?.to_string();
            let version = field("version")?.parse().ok()?;
            let schema = u64::from_str_radix(field("schema")?, 16).ok()?;
            let length: usize = field("length")?.parse().ok()?;
            let expected = u64::from_str_radix(field("fnv")?, 16).ok()?;
            Some((module, version, schema, length, expected))
        };
        let (module, version, schema, length, expected) = read().ok_or_else(shown)?;
        if bytes.len() != length {
            return Err(StateFault::Length { module, found: bytes.len(), expected: length });
        }
        let found = fnv(bytes, FNV_OFFSET);
        if found != expected {
            return Err(StateFault::Checksum { module, found, expected });
        }
        let state = Self { module, version, schema, bytes: bytes.to_vec() };
        // Numbers can be written in several ways; the writer's is the one.
        if state.header().as_bytes() == &envelope[..=end] { Ok(state) } else { Err(shown()) }
    }
}

/// How a module gives its state.
pub(super) struct Saving {
    pub(super) handler: &'static Entry,
    pub(super) version: u32,
    shape: Shape,
    call: SaveFn,
}

impl Saving {
    pub(super) fn of(instance: &Instance) -> Option<Self> {
        instance.entries.iter().find_map(|handler| match handler.kind {
            EntryKind::Save { version, shape, call } => Some(Self { handler, version, shape, call }),
            _ => None,
        })
    }

    /// The state, for whoever has the instance to itself or has entered for this handler.
    pub(super) fn save(&self, instance: &Instance, cx: &Context) -> Result<ModuleResult<SavedState>, Panicked> {
        let mut bytes = Vec::new();
        let module = instance.name().to_string();
        match instance.save(self.call, &mut bytes, cx) {
            Status::Handled => Ok(Ok(SavedState { module, version: self.version, schema: self.shape.hash(), bytes })),
            Status::Panicked => Err(Panicked),
            _ => Ok(Err(cx.take_fault())),
        }
    }
}

impl Runtime {
    /// Asks a running module for its state; `None` when it has no `on_save`.
    ///
    /// A later runtime takes it back; see [`Builder::state`](crate::Builder::state).
    pub fn save(&self, module: &str) -> ModuleResult<Option<SavedState>> {
        let inner = &*self.inner;
        let registry = inner.registry();
        let found = registry.index_of(module).map(|at| registry.members[at].instance.clone());
        drop(registry);
        let instance = found.ok_or_else(|| IpcError::ModuleNotFound { name: module.to_string() })?;
        inner.ask(&instance, |instance| {
            let Some(saving) = Saving::of(instance) else { return Ok(None) };
            if !instance.is_running() {
                return Err(IpcError::NotRunning { module: module.to_string(), state: instance.state() }.into());
            }
            inner.inside(instance, Some(saving.handler), Patience::ENDLESS, |cx| saving.save(instance, cx)).map(Some)
        })
    }
}

impl Runtime {
    /// Gives a module its state back that comes later, when it starts for the first time; see
    /// [`Builder::state`](crate::Builder::state). What was offered for it before is forgotten.
    pub fn offer(&self, state: SavedState) {
        let mut states = self.inner.states.lock();
        states.retain(|other| other.module != state.module);
        states.push(state);
    }
}

impl Inner {
    /// Gives a module that does not run yet a state back, by the `on_restore` of that version.
    pub(super) fn restore(&self, instance: &Instance, state: &SavedState, cx: &Context) -> ModuleResult<()> {
        let refused = |reason: String| ModuleError::State { found: state.version, reason: reason.into() };
        for entry in &instance.entries {
            let EntryKind::Restore { version, shape, call } = entry.kind else { continue };
            if version != state.version {
                continue;
            }
            if shape.hash() != state.schema {
                return Err(refused(format!(
                    "`#[on_restore(version = {version})]` takes {shape}, and what was saved is of another schema; \
                     raise the version, and keep a handler for the old one"
                )));
            }
            return instance
                .restore(call, &state.bytes, cx)
                .unwrap_or_else(|| Err(refused(format!("its {} bytes are not {shape}", state.bytes.len()))));
        }
        Err(refused(format!(
            "`{}` has no handler for it; add `#[on_restore(version = {})]`",
            instance.name(),
            state.version
        )))
    }
}
