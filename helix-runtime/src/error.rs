//! What can go wrong, with what was found and what was expected.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::{String, ToString};

use crate::runtime::BuildError;
use crate::schema::Shape;

/// A text that is known when it is compiled.
type Known = &'static str;

/// What a module reports, or what the runtime reports of one.
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleError {
    /// The module's own words.
    #[error("{0}")]
    Failed(Cow<'static, str>),
    /// A configured value is not what its key takes.
    #[error("config key `{key}`: found `{value}`, expected {expected}")]
    Config {
        /// The key, without the module's name.
        key: String,
        /// What was found.
        value: String,
        /// What it takes.
        expected: Cow<'static, str>,
    },
    /// A key without a default has no value.
    #[error("config key `{key}`: no value, expected {expected}; set it in the configuration")]
    ConfigMissing {
        /// The key, without the module's name.
        key: String,
        /// What it takes.
        #[cfg_attr(feature = "std", serde(with = "crate::boundary::known"))]
        expected: Known,
    },
    /// The module is in a state from which this cannot be done.
    #[error("module `{module}` is {found}, expected {expected}")]
    WrongState {
        /// The module's name.
        module: String,
        /// The state it is in.
        found: ModuleState,
        /// The state it would have to be in.
        expected: ModuleState,
    },
    /// The process of a module has ended, or was ended.
    #[error("module `{module}` has crashed: {cause}")]
    Crashed {
        /// The module's name.
        module: String,
        /// What is known of the cause.
        cause: String,
    },
    /// A handler panicked.
    #[error("module `{module}` panicked: {message}")]
    Panicked {
        /// The module's name.
        module: String,
        /// What the panic said.
        message: String,
    },
    /// Saved state that this module cannot take back.
    #[error("saved state version {found}: {reason}")]
    State {
        /// The version of the saved state.
        found: u32,
        /// Why it cannot be restored, and what to add.
        reason: Cow<'static, str>,
    },
    /// Others need the module, so it cannot go before them.
    #[error("module `{module}` is needed by {by}; stop or remove those first")]
    Needed {
        /// The module's name.
        module: String,
        /// Who needs it, separated by commas.
        by: String,
    },
    /// An essential module cannot go while the system runs.
    #[error("module `{module}` is ESSENTIAL and cannot go while the system runs; stop the runtime, or replace it")]
    Essential {
        /// The module's name.
        module: String,
    },
    /// The module's flags do not say that it can be replaced.
    #[error("module `{module}` is not HOT_RELOADABLE; add the flag, and `on_save` and `on_restore` or `stateless`")]
    NotReloadable {
        /// The module's name.
        module: String,
    },
    /// Another transition of the same runtime is under way.
    #[error("another transition is under way: {under_way}; try again when it is over")]
    Moving {
        /// Which one.
        under_way: String,
    },
    /// A handler has not returned in time, so the module could not be had alone.
    #[error("module `{module}` is still busy after {waited:?}: thread {thread} is in {handler}")]
    Stuck {
        /// The module's name.
        module: String,
        /// The thread that is in one of its handlers.
        thread: Box<str>,
        /// Which handler that is.
        handler: Box<str>,
        /// How long it was waited for.
        waited: core::time::Duration,
    },
    /// The module says that it is not well.
    #[error("module `{module}` says that it is not healthy")]
    Unhealthy {
        /// The module's name.
        module: String,
    },
    /// A call to another module went wrong.
    #[error(transparent)]
    Ipc(#[from] IpcError),
    /// The modules would not fit together.
    #[error(transparent)]
    Unfit(#[cfg_attr(feature = "std", serde(with = "crate::boundary::unfit"))] Box<BuildError>),
}

impl ModuleError {
    /// An error in the module's own words.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Failed(message.into())
    }

    /// A configured value that the module refuses, such as one out of its range.
    pub fn config(
        key: impl Into<String>,
        value: impl core::fmt::Display,
        expected: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Config { key: key.into(), value: value.to_string(), expected: expected.into() }
    }
}

impl From<&'static str> for ModuleError {
    fn from(message: &'static str) -> Self {
        Self::new(message)
    }
}

impl From<String> for ModuleError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl<E: core::fmt::Display> From<CallError<E>> for ModuleError {
    fn from(error: CallError<E>) -> Self {
        match error {
            CallError::Handler(error) => Self::Failed(error.to_string().into()),
            CallError::Ipc(error) => Self::Ipc(error),
        }
    }
}

/// What a module's own functions return.
pub type ModuleResult<T> = Result<T, ModuleError>;

/// Why a call did not come back with a reply.
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IpcError {
    /// Nobody of that name, and nobody who provides such a service.
    #[error("no module or service is called `{name}`")]
    ModuleNotFound {
        /// The name that was asked for.
        name: String,
    },
    /// The module has no such request.
    #[error("module `{module}` has no request `{request}`; it has: {known}")]
    RequestNotFound {
        /// The module's name.
        module: String,
        /// The request that was asked for.
        request: String,
        /// The requests it has, separated by commas.
        known: String,
    },
    /// The module is not running.
    #[error("module `{module}` is {state}, not running")]
    NotRunning {
        /// The module's name.
        module: String,
        /// The state it is in.
        state: ModuleState,
    },
    /// The module is busy; if it is busy in this very chain of calls, the chain shows how.
    #[error("module is busy: {chain}")]
    Busy {
        /// The calls that lead back to the module (`a -> b -> a`), or the module alone.
        chain: String,
    },
    /// The module did not become free, or did not answer, in the time that the sender gave it.
    #[error("{target}: no answer after {waited:?}")]
    Timeout {
        /// The module or service that was asked.
        target: String,
        /// How long it was waited for.
        waited: core::time::Duration,
    },
    /// A mailbox or a channel is full.
    #[error("{channel} is full: it holds {capacity}; send less, or again later")]
    ChannelFull {
        /// Which one.
        channel: String,
        /// How much it holds.
        capacity: usize,
    },
    /// The caller may not ask for this.
    #[error("`{caller}` may not call `{request}`: it needs the permission `{permission}`; add it to its `permissions`")]
    Denied {
        /// The module that asked.
        caller: String,
        /// The request.
        request: String,
        /// What it lacks.
        #[cfg_attr(feature = "std", serde(with = "crate::boundary::known"))]
        permission: Known,
    },
    /// A module in a process of its own was not granted this.
    #[error(
        "`{module}` may not {act}: it needs the permission `{permission}`; list it in the module's `permissions`, and grant it in the host's configuration"
    )]
    Forbidden {
        /// The module.
        module: String,
        /// What it wanted.
        act: String,
        /// What it lacks.
        permission: String,
    },
    /// Someone is registered under that name or number already.
    #[error("`{name}` is taken: unregister it first, or choose another name")]
    Taken {
        /// The name or the number.
        name: String,
    },
    /// A name that is none.
    #[error(
        "bad name `{name}`: expected lower-case words and digits joined by single `.`, `_`, `/` or `-`, at most 64 bytes"
    )]
    BadName {
        /// The name, cut after 64 bytes.
        name: String,
    },
    /// There is no such subscription, any more.
    #[error("there is no {subscription}")]
    NotSubscribed {
        /// The subscription.
        subscription: crate::bus::SubscriptionId,
    },
    /// The calls are nested too deeply.
    #[error("calls are nested deeper than {limit}: {chain}")]
    TooDeep {
        /// How deep they may be.
        limit: u32,
        /// The calls, from the outermost.
        chain: String,
    },
    /// Caller and module disagree on a type.
    #[error("{what} of `{request}`: the caller has {found}, the module expects {expected}")]
    SchemaMismatch {
        /// `arguments` or `reply`.
        #[cfg_attr(feature = "std", serde(with = "crate::boundary::known"))]
        what: Known,
        /// The request.
        request: String,
        /// The caller's type.
        found: Shape,
        /// The module's type.
        expected: Shape,
    },
    /// Bytes that are not what their schema says.
    #[error("{what} of `{request}`: found bytes that are not {expected}")]
    Malformed {
        /// `arguments` or `reply`.
        #[cfg_attr(feature = "std", serde(with = "crate::boundary::known"))]
        what: Known,
        /// The request.
        request: String,
        /// What they should have been.
        expected: Shape,
    },
    /// The reply does not fit into the caller's buffer.
    #[error("the reply of `{request}` does not fit into the caller's buffer")]
    BufferFull {
        /// The request.
        request: String,
    },
    /// The module does not support the request.
    #[error("module `{module}` does not support `{request}`")]
    NotSupported {
        /// The module's name.
        module: String,
        /// The request.
        request: String,
    },
    /// Two modules provide the service, and nothing chooses between them.
    #[error("service `{service}` is provided by {providers}; set `services.{service}` to one of them")]
    Ambiguous {
        /// The service.
        service: String,
        /// Its providers, separated by commas.
        providers: String,
    },
    /// The runtime is gone.
    #[error("the runtime has ended")]
    Closed,
    /// The handler returned an error, or panicked.
    #[error("{module}.{request}: {error}")]
    Failed {
        /// The module's name.
        module: String,
        /// The request.
        request: String,
        /// What went wrong in it.
        #[cfg_attr(feature = "std", serde(deserialize_with = "crate::boundary::nested"))]
        error: Box<ModuleError>,
    },
}

/// What a call by name returns.
pub type IpcResult<T> = Result<T, IpcError>;

/// Why a service's method did not return its value: its own error, or the call's.
///
/// A method that cannot fail has [`Infallible`](core::convert::Infallible) for its own error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError<E = core::convert::Infallible> {
    /// The error that the method returned.
    Handler(E),
    /// The call did not come back with a reply.
    Ipc(IpcError),
}

impl<E> From<IpcError> for CallError<E> {
    fn from(error: IpcError) -> Self {
        Self::Ipc(error)
    }
}

impl<E: core::fmt::Display> core::fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Handler(error) => error.fmt(f),
            Self::Ipc(error) => error.fmt(f),
        }
    }
}

impl<E: core::fmt::Debug + core::fmt::Display> core::error::Error for CallError<E> {}

/// Where a module stands in its life.
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ModuleState {
    /// Known to the runtime, not yet created.
    Registered,
    /// Created and configured.
    Created,
    /// `on_init` has returned.
    Initialized,
    /// `on_start` has returned; handlers are called.
    Running,
    /// `on_stop` has returned; it may be started again.
    Stopped,
    /// Destroyed.
    Unloaded,
    /// A step failed, or a handler panicked.
    Failed,
}

impl ModuleState {
    /// The moves of a life, each from one state to the next. `Failed` can follow on any, and ends in `Unloaded` alone.
    const MOVES: [(Self, Self); 9] = [
        (Self::Registered, Self::Created),
        (Self::Created, Self::Initialized),
        (Self::Initialized, Self::Running),
        (Self::Running, Self::Stopped),
        (Self::Stopped, Self::Running),
        (Self::Registered, Self::Unloaded),
        (Self::Initialized, Self::Unloaded),
        (Self::Stopped, Self::Unloaded),
        (Self::Failed, Self::Unloaded),
    ];

    /// Whether a module in this state may come into that one next.
    pub fn may_become(self, next: Self) -> bool {
        match next {
            Self::Failed => self != Self::Unloaded,
            _ => Self::MOVES.contains(&(self, next)),
        }
    }

    /// The state that usually comes before this one.
    pub(crate) fn comes_after(self) -> Self {
        let before = Self::MOVES.iter().find(|(_, next)| *next == self);
        before.map_or(Self::Registered, |(before, _)| *before)
    }
}

impl core::fmt::Display for ModuleState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(match self {
            Self::Registered => "registered",
            Self::Created => "created",
            Self::Initialized => "initialized",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Unloaded => "unloaded",
            Self::Failed => "failed",
        })
    }
}
