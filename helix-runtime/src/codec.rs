//! How the arguments and the reply of a request pass: as the values themselves, or as bytes.
//!
//! This is the only file in which a request's values are without their types. Invariant: the pointers of a
//! [`TypedCall`] lead to an `A::Of` and to room for an `R`, where `A` and `R` are the types of its [`Codec`].

use core::any::TypeId;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};

#[cfg(feature = "std")]
use crate::boundary::InBytes;
use crate::context::Context;
use crate::descriptor::{Status, TypedFn};
use crate::erase::{decoded, dropped, encoded};
use crate::error::{IpcError, IpcResult};
use crate::host::{Carries, Direct};
use crate::message::{Args, Message, Sink, Spill, decode, encode};
use crate::schema::Shape;

/// The types of one request and how they are turned into bytes and back.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Codec {
    types: (TypeId, TypeId),
    args: Shape,
    reply: Shape,
    encode_args: unsafe fn(*const (), &mut dyn Sink) -> bool,
    decode_reply: unsafe fn(&[u8], *mut ()) -> bool,
    serve: unsafe fn(TypedFn, *mut (), &[u8], &mut dyn Sink, &Context) -> Status,
}

struct Pair<A, R>(PhantomData<fn(A) -> R>);

impl<A: Args, R: Message> Pair<A, R> {
    const CODEC: &'static Codec = &Codec {
        types: (TypeId::of::<A>(), TypeId::of::<R>()),
        args: A::SHAPE,
        reply: R::SHAPE,
        encode_args: encode_args::<A>,
        decode_reply: decode_reply::<R>,
        serve: serve::<A, R>,
    };
}

unsafe fn encode_args<A: Args>(args: *const (), sink: &mut dyn Sink) -> bool {
    // SAFETY: the invariant of this file.
    encode(unsafe { &*args.cast::<A::Of<'_>>() }, sink).is_ok()
}

unsafe fn decode_reply<R: Message>(bytes: &[u8], reply: *mut ()) -> bool {
    let Some(value) = decode::<R>(bytes) else { return false };
    // SAFETY: the invariant of this file.
    unsafe { reply.cast::<R>().write(value) };
    true
}

unsafe fn serve<A: Args, R: Message>(
    handler: TypedFn,
    module: *mut (),
    bytes: &[u8],
    sink: &mut dyn Sink,
    cx: &Context,
) -> Status {
    let mut args = match decoded::<A::Of<'_>>(bytes, cx) {
        Ok(args) => ManuallyDrop::new(args),
        Err(status) => return status,
    };
    let mut reply = MaybeUninit::<R>::uninit();
    // SAFETY: the caller vouches for the module; the values have the handler's types, and it takes the arguments.
    let status = unsafe { handler(module, (&raw mut args).cast(), reply.as_mut_ptr().cast(), cx) };
    if status != Status::Handled {
        return status;
    }
    // SAFETY: a handler that returns `Handled` has written its reply.
    let reply = unsafe { reply.assume_init() };
    let status = encoded(&reply, sink, cx);
    dropped(reply, status, cx)
}

impl Codec {
    pub const fn of<A: Args, R: Message>() -> &'static Self {
        Pair::<A, R>::CODEC
    }

    pub(crate) fn args(&self) -> Shape {
        self.args
    }

    pub(crate) fn reply(&self) -> Shape {
        self.reply
    }

    pub(crate) const fn shapes(&self) -> (&Shape, &Shape) {
        (&self.args, &self.reply)
    }

    /// Whether both sides' schemas are the same; if not, what differs: its name, the caller's shape, the handler's.
    pub(crate) fn agrees(&self, handler: &Self) -> Result<(), (&'static str, Shape, Shape)> {
        if self.args != handler.args {
            Err(("arguments", self.args, handler.args))
        } else if self.reply != handler.reply {
            Err(("reply", self.reply, handler.reply))
        } else {
            Ok(())
        }
    }

    /// Whether both sides mean the very same Rust types, so that values may pass as they are.
    #[inline]
    fn is_same_as(&'static self, other: &'static Self) -> bool {
        core::ptr::eq(self, other) || self.types == other.types
    }

    /// The same codec as one of another copy of this crate: its types are nobody's here.
    #[cfg(feature = "std")]
    pub(crate) fn of_nobody(&self) -> Self {
        struct Abroad;
        Self { types: (TypeId::of::<Abroad>(), TypeId::of::<Abroad>()), ..*self }
    }

    /// One whose handler takes the arguments in bytes and writes the reply so: see [`InBytes`].
    #[cfg(feature = "std")]
    pub(crate) fn of_bytes(args: Shape, reply: Shape) -> Self {
        unsafe fn serve(handler: TypedFn, module: *mut (), args: &[u8], reply: &mut dyn Sink, cx: &Context) -> Status {
            let mut values = InBytes { args, reply };
            // SAFETY: the caller vouches for the module; this is what such a handler takes.
            unsafe { handler(module, (&raw mut values).cast(), core::ptr::null_mut(), cx) }
        }
        Self { serve, ..Self::told(args, reply).of_nobody() }
    }

    /// The shapes of a caller whose types are not known here.
    #[cfg(feature = "std")]
    pub(crate) fn told(args: Shape, reply: Shape) -> Self {
        Self {
            types: (TypeId::of::<()>(), TypeId::of::<()>()),
            args,
            reply,
            encode_args: |_, _| false,
            decode_reply: |_, _| false,
            serve: |_, _, _, _, _| Status::Mismatch,
        }
        .of_nobody()
    }

    /// Serves a call in bytes by a handler of these types.
    ///
    /// # Safety
    /// `handler` has these types, and `module` is an instance that it may enter.
    pub(crate) unsafe fn serve(
        &self,
        handler: TypedFn,
        module: *mut (),
        args: &[u8],
        reply: &mut dyn Sink,
        cx: &Context,
    ) -> Status {
        // SAFETY: passed on.
        unsafe { (self.serve)(handler, module, args, reply, cx) }
    }
}

/// A call that carries values.
pub(crate) struct TypedCall<'a> {
    codec: &'static Codec,
    args: *mut (),
    reply: *mut (),
    taken: bool,
    replied: bool,
    /// What went wrong in a handler that was called directly.
    pub(crate) error: Option<IpcError>,
    caller: PhantomData<&'a mut ()>,
}

impl TypedCall<'_> {
    pub(crate) fn codec(&self) -> &'static Codec {
        self.codec
    }

    /// Whether the values are still there and a handler with that codec takes them as they are.
    #[inline(always)]
    pub(crate) fn is_of(&self, codec: &'static Codec) -> bool {
        !self.taken && self.codec.is_same_as(codec)
    }

    /// Passes the values to a handler.
    ///
    /// # Safety
    /// `handler` has the types of a codec that the call [is of](Self::is_of), and `module` is an instance that it may enter.
    #[inline(always)]
    pub(crate) unsafe fn pass(&mut self, handler: TypedFn, module: *mut (), cx: &Context) -> Status {
        self.taken = true;
        // SAFETY: the types are the handler's own, the arguments were not taken before, the caller vouches for the rest.
        let status = unsafe { handler(module, self.args, self.reply, cx) };
        self.replied = status == Status::Handled;
        status
    }

    /// Whether the values are still there and a handler with that codec takes them encoded.
    pub(crate) fn may_cross(&self, codec: &Codec) -> bool {
        !self.taken && self.codec.agrees(codec).is_ok()
    }

    /// Passes the values to a handler of other types of the same schemas, encoded. The arguments stay where they are.
    ///
    /// # Safety
    /// `handler` has the types of the codec, and `module` is an instance that it may enter.
    #[inline(never)]
    pub(crate) unsafe fn cross(&mut self, codec: &Codec, handler: TypedFn, module: *mut (), cx: &Context) -> Status {
        let mut reply = Spill::new();
        // SAFETY: passed on.
        let status = unsafe { codec.serve(handler, module, self.encode().bytes(), &mut reply, cx) };
        if status == Status::Handled && !self.decode(reply.bytes()) { Status::BadReply } else { status }
    }

    /// The arguments in bytes.
    pub(crate) fn encode(&self) -> Spill {
        let mut bytes = Spill::new();
        if !self.taken {
            // SAFETY: the arguments are still there.
            unsafe { (self.codec.encode_args)(self.args, &mut bytes) };
        }
        bytes
    }

    /// Takes a reply in bytes; false when they are none.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> bool {
        // SAFETY: the reply was not written before, and there is room for it.
        self.replied = !self.replied && unsafe { (self.codec.decode_reply)(bytes, self.reply) };
        self.replied
    }
}

/// Makes a call with values: directly, or else as `otherwise` does, which tells how it went.
#[inline]
pub(crate) fn with_values<A: Args, R: Message>(
    args: A::Of<'_>,
    directly: impl FnOnce(&mut TypedCall<'_>) -> Direct,
    otherwise: impl FnOnce(&mut Carries<'_>) -> IpcResult<()>,
) -> IpcResult<R> {
    let mut args = ManuallyDrop::new(args);
    let mut reply = MaybeUninit::<R>::uninit();
    let mut call = TypedCall {
        codec: Codec::of::<A, R>(),
        args: (&raw mut args).cast(),
        reply: reply.as_mut_ptr().cast(),
        taken: false,
        replied: false,
        error: None,
        caller: PhantomData,
    };
    if directly(&mut call) == Direct::Replied {
        if !call.taken {
            // SAFETY: they have crossed as bytes; nobody has taken them, and nobody else will.
            unsafe { ManuallyDrop::drop(&mut args) };
        }
        // SAFETY: the host says that it was written.
        return Ok(unsafe { reply.assume_init() });
    }
    let mut carries = Carries::Typed(call);
    let result = otherwise(&mut carries);
    let Carries::Typed(call) = carries else { unreachable!("a call keeps what it carries") };
    if !call.taken {
        // SAFETY: nobody has taken them, and nobody else will.
        unsafe { ManuallyDrop::drop(&mut args) };
    }
    match result {
        Ok(()) => {
            assert!(call.replied, "a host that reports success has replied");
            // SAFETY: `replied` says that it was written.
            Ok(unsafe { reply.assume_init() })
        }
        Err(error) => {
            if call.replied {
                // SAFETY: `replied` says that it was written.
                unsafe { reply.assume_init_drop() };
            }
            Err(error)
        }
    }
}
