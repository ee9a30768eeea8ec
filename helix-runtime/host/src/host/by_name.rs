//! Calls and events by name, with values as JSON: checked against the schema on their way in, and read by it on their way out.

use helix_runtime::{
    DataMaintenance, EventType, IpcError, Missing, ModuleError, PublishResult, Request, RequestEntry, Response,
};
use serde_json::Value;

use super::{Host, HostFault};
use crate::value::{self, ValueFault};

impl Host {
    /// Calls `module.request` with arguments that are checked against its schema, and gives the reply.
    ///
    /// # Errors
    /// When an argument is not what the schema says, or the call goes wrong.
    pub fn call(&self, path: &str, given: &Value) -> Result<Value, HostFault> {
        let runtime = &self.shared.runtime;
        let not_found = || HostFault::NotFound {
            what: "request",
            name: path.into(),
            known: self.shared.names().iter().flat_map(|name| self.request_names(name)).collect::<Vec<_>>().join(", "),
        };
        let (target, request) = path.rsplit_once('.').ok_or_else(not_found)?;
        let entry = self.request(target, request)?.ok_or_else(not_found)?;
        let wrong = |fault: ValueFault| HostFault::Value { what: path.into(), fault };
        let Some((args, reply)) = entry.shapes() else {
            let payload =
                given.as_str().map_or_else(|| given.to_string().into_bytes(), |text| text.as_bytes().to_vec());
            let payload =
                if given.is_null() || *given == Value::Object(Default::default()) { Vec::new() } else { payload };
            return response(path, runtime.request(target, Request::new(request).with_payload(payload))?, |bytes| {
                Ok(Value::String(String::from_utf8_lossy(bytes).into_owned()))
            });
        };
        let given = value::arguments(args, entry.params, given).map_err(wrong)?;
        let given = value::encode(args, &given).map_err(|mut fault| {
            fault.at = named(&fault.at, entry.params);
            wrong(fault)
        })?;
        let answer = runtime.request(target, Request::new(request).with_payload(given))?;
        let value = response(path, answer, |bytes| value::decode(reply, bytes).map_err(wrong))?;
        match value {
            Value::Object(mut result) if reply.schema().name.starts_with("Result<") => match result.remove("Ok") {
                Some(value) => Ok(value),
                None => failed(path, result.remove("Err").unwrap_or_default().to_string()),
            },
            value => Ok(value),
        }
    }

    fn request(&self, target: &str, request: &str) -> Result<Option<&'static RequestEntry>, HostFault> {
        let requests = match self.shared.runtime.requests(target) {
            Err(_) if self.shared.load_lazily(target) == Missing::Added => self.shared.runtime.requests(target),
            requests => requests,
        };
        let requests = requests.map_err(|_| HostFault::NotFound {
            what: "module or service",
            name: target.into(),
            known: self.shared.names().join(", "),
        })?;
        Ok(requests.into_iter().find(|entry| entry.name == request))
    }

    fn request_names(&self, module: &str) -> Vec<String> {
        let requests = self.shared.runtime.requests(module).unwrap_or_default();
        requests.into_iter().map(|entry| format!("{module}.{}", entry.name)).collect()
    }

    /// Publishes an event whose fields are checked against its schema. Tells how many handlers acted on it, ignored it
    /// and failed.
    ///
    /// # Errors
    /// When nobody knows such an event, or a field is not what the schema says.
    pub fn emit(&self, event: &str, given: &Value) -> Result<PublishResult, HostFault> {
        let heard = self.shared.runtime.heard();
        let known = heard.iter().find(|known| known.name == event);
        let known = known.ok_or_else(|| HostFault::NotFound {
            what: "event that anybody takes by its type",
            name: event.into(),
            known: heard.iter().map(|known| known.name).collect::<Vec<_>>().join(", "),
        })?;
        let given = &value::event(known.shape, given);
        let bytes =
            value::encode(known.shape, given).map_err(|fault| HostFault::Value { what: event.into(), fault })?;
        if event == DataMaintenance::NAME
            && let Ok(what) = postcard::from_bytes(&bytes)
        {
            return Ok(self.maintain(&what));
        }
        Ok(self.shared.runtime.publish_encoded(known.topic, known.name, known.shape, &bytes))
    }
}

/// The place in a tuple of arguments, with the argument's name for its number.
fn named(at: &str, params: &[&str]) -> String {
    let (first, rest) = at.split_once('.').map_or((at, None), |(first, rest)| (first, Some(rest)));
    let name = first.parse::<usize>().ok().and_then(|at| params.get(at)).copied().unwrap_or(first);
    rest.map_or_else(|| name.to_string(), |rest| format!("{name}.{rest}"))
}

fn failed<T>(path: &str, text: String) -> Result<T, HostFault> {
    let (module, request) = path.rsplit_once('.').unwrap_or((path, ""));
    let error = Box::new(ModuleError::new(text));
    Err(HostFault::Ipc(IpcError::Failed { module: module.into(), request: request.into(), error }))
}

fn response(
    path: &str,
    response: Response,
    success: impl FnOnce(&[u8]) -> Result<Value, HostFault>,
) -> Result<Value, HostFault> {
    match response {
        Response::Success(bytes) => success(&bytes),
        Response::Error(text) => failed(path, text),
        Response::Rejected(text) => failed(path, format!("rejected: {text}")),
        _ => {
            let (module, request) = path.rsplit_once('.').unwrap_or((path, ""));
            Err(HostFault::Ipc(IpcError::NotSupported { module: module.into(), request: request.into() }))
        }
    }
}
