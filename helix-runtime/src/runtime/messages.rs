//! How requests in bytes find their target, and how mailboxes are filled and emptied.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use core::time::Duration;

use crate::client;
use crate::closure::RequestHandler;
use crate::erase::guard;
use crate::error::{IpcError, IpcResult};
use crate::host::Host;
use crate::info::check_name;
use crate::request::{Request, Response};
use crate::router::{MailboxStats, MessageRouter, ModuleAddress};
use crate::runtime::Runtime;
use crate::runtime::inner::Inner;
use crate::runtime::mailbox::{MessageId, Queued, ReplyHandler};
use crate::runtime::slot::Slot;

impl Runtime {
    /// Requests in bytes: who answers, and what waits to be asked.
    pub fn router(&self) -> MessageRouter<'_> {
        MessageRouter::new(self)
    }

    pub(crate) fn register(&self, id: u64, name: &'static str, handler: RequestHandler) -> IpcResult<()> {
        let inner = &*self.inner;
        if !check_name(name) {
            return Err(IpcError::BadName { name: name.chars().take(64).collect() });
        }
        let mut registry = inner.registry();
        if registry.endpoints.iter().any(|endpoint| endpoint.number == id) {
            return Err(IpcError::Taken { name: id.to_string() });
        }
        if registry.is_name(name) {
            return Err(IpcError::Taken { name: name.to_string() });
        }
        registry.register(id, name, handler, &inner.settings);
        inner.install(registry, vec![]);
        Ok(())
    }

    pub(crate) fn unregister(&self, id: u64) -> IpcResult<()> {
        let inner = &*self.inner;
        let mut registry = inner.registry();
        let Some(at) = registry.endpoints.iter().position(|endpoint| endpoint.number == id) else {
            return Err(IpcError::ModuleNotFound { name: ModuleAddress::Id(id).to_string() });
        };
        let instance = registry.endpoints.remove(at).instance;
        registry.name();
        inner.install(registry, vec![instance.clone()]);
        if inner.vacate(&instance) {
            inner.unload(&instance);
        }
        inner.close_mailbox(&instance.slot, instance.name());
        Ok(())
    }

    pub(crate) fn send(&self, to: ModuleAddress<'_>, request: Request) -> IpcResult<Response> {
        let target = self.inner.target(to)?.0;
        client::request(&*self.inner, None, &target, request)
    }

    pub(crate) fn broadcast(&self, request: &Request) -> Vec<(&'static str, IpcResult<Response>)> {
        let inner = &*self.inner;
        let sender = inner.up_context().map(|up| up.id);
        let running: Vec<_> = inner.registry().answering();
        let others = running.iter().filter(|other| other.is_running() && Some(other.slot.id) != sender);
        let takers = others.filter(|other| inner.resolve(other.name(), &request.request_type).is_ok());
        takers.map(|other| (other.name(), client::request(inner, None, other.name(), request.clone()))).collect()
    }

    pub(crate) fn queue(
        &self,
        to: ModuleAddress<'_>,
        mut request: Request,
        reply: Option<ReplyHandler>,
    ) -> IpcResult<MessageId> {
        let inner = &*self.inner;
        let (target, slot) = inner.target(to)?;
        let up = inner.up_context();
        inner.may_ask(up, &target, &request.request_type)?;
        request.vouch_for(up.map_or("", |up| up.name()));
        let id = MessageId(inner.next_message.fetch_add(1, Ordering::Relaxed) as u64);
        let since = inner.clock();
        let deadline = request.timeout.map(|timeout| since.saturating_add(timeout));
        let message = Queued { id, target: target.as_str().into(), request, since, deadline, reply };
        let mut mailbox = slot.mailbox.lock();
        match mailbox.push(message) {
            Ok(()) => Ok(id),
            Err(message) => {
                let (capacity, closed) = (mailbox.capacity, mailbox.closed);
                drop(mailbox);
                drop(message);
                if closed {
                    return Err(IpcError::Closed);
                }
                Err(IpcError::ChannelFull { channel: alloc::format!("the mailbox of `{target}`"), capacity })
            }
        }
    }

    pub(crate) fn process_mailbox(&self, of: ModuleAddress<'_>) -> IpcResult<u32> {
        let (_, slot) = self.inner.target(of)?;
        self.inner.expire_messages(&slot, self.inner.clock());
        Ok(self.inner.process_messages(&slot, usize::MAX))
    }

    pub(crate) fn mailbox_stats(&self) -> Vec<MailboxStats> {
        let all = self.inner.registry().answering();
        all.iter().map(|instance| instance.slot.mailbox.lock().stats(instance.name())).collect()
    }
}

impl Inner {
    /// The name of whom an address means, and what waits for it.
    fn target(&self, to: ModuleAddress<'_>) -> IpcResult<(String, Arc<Slot>)> {
        let registry = self.registry();
        let name = match &to {
            ModuleAddress::Id(id) => registry.name_of_number(*id),
            ModuleAddress::Name(name) => Some(name.to_string()),
            ModuleAddress::Service(service) => registry.provider(service),
        };
        let found = name.and_then(|name| Some((registry.slot_of(&name)?, name)));
        let (slot, name) = found.ok_or_else(|| {
            let mut name = to.to_string();
            name.truncate(name.floor_char_boundary(256));
            IpcError::ModuleNotFound { name }
        })?;
        Ok((name, slot))
    }

    /// Tells those whose messages are too late. How many.
    pub(super) fn expire_messages(&self, slot: &Slot, now: Duration) -> u32 {
        let expired = slot.mailbox.lock().expire(now);
        let count = expired.len() as u32;
        for message in expired {
            let waited = now.saturating_sub(message.since);
            let target = message.target.to_string();
            answer(message, Err(IpcError::Timeout { target, waited }));
        }
        count
    }

    /// Asks what waits now, up to so many messages. How many were asked.
    pub(super) fn process_messages(&self, slot: &Slot, limit: usize) -> u32 {
        let waiting = slot.mailbox.lock().len().min(limit);
        for asked in 0..waiting {
            let Some(message) = slot.mailbox.lock().pop() else { return asked as u32 };
            let response = client::request_vouched(self, &message.target, message.request.clone());
            if matches!(response, Err(IpcError::Busy { .. })) {
                let mut mailbox = slot.mailbox.lock();
                if !mailbox.closed {
                    mailbox.put_back(message);
                    return asked as u32;
                }
                drop(mailbox);
                answer(message, Err(IpcError::Closed));
                continue;
            }
            answer(message, response);
        }
        waiting as u32
    }

    /// Tells those who wait that nobody will be asked any more.
    pub(super) fn close_mailbox(&self, slot: &Slot, name: &str) {
        let waiting = slot.mailbox.lock().clear();
        if !waiting.is_empty() {
            log::warn!(target: name, "{} messages are dropped: their target is gone", waiting.len());
        }
        for message in waiting {
            answer(message, Err(IpcError::Closed));
        }
    }
}

/// Calls a message's reply handler, which is the user's.
fn answer(message: Queued, response: IpcResult<Response>) {
    let (id, target) = (message.id, message.target);
    let Some(reply) = message.reply else {
        if let Err(error) = response {
            log::warn!(target: &target, "{id}: {error}");
        }
        return;
    };
    if let Err(panic) = guard(|| reply(response)) {
        log::error!(target: &target, "{id}: its reply handler panicked: {panic}");
    }
}
