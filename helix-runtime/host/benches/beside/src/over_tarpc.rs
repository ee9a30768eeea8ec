//! tarpc, on tokio's runtime of one thread, with lengths and bincode as in its own example of a Unix socket.

use std::os::unix::net::UnixStream;

use futures::StreamExt;
use tarpc::serde_transport::Transport;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::{client, context};
use tokio::runtime::{Builder, Runtime};

use crate::{BYTES, Caller};

#[tarpc::service]
trait Echo {
    async fn back(bytes: Vec<u8>) -> Vec<u8>;
}

#[derive(Clone)]
struct Answers;

impl Echo for Answers {
    async fn back(self, _: context::Context, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// On the runtime in which this is called.
fn asynchronous(socket: UnixStream) -> tokio::net::UnixStream {
    socket.set_nonblocking(true).unwrap();
    tokio::net::UnixStream::from_std(socket).unwrap()
}

pub fn caller(socket: UnixStream) -> Caller {
    let runtime = runtime();
    let client = runtime.block_on(async {
        let transport = Transport::from((asynchronous(socket), Bincode::default()));
        EchoClient::new(client::Config::default(), transport).spawn()
    });
    Box::new(move |calls| {
        runtime.block_on(async {
            for _ in 0..calls {
                let reply = client.back(context::current(), vec![7; BYTES]).await.unwrap();
                assert_eq!(reply.len(), BYTES);
            }
        });
    })
}

pub fn answer(socket: UnixStream) {
    runtime().block_on(async {
        let transport = Transport::from((asynchronous(socket), Bincode::default()));
        let requests = BaseChannel::with_defaults(transport).execute(Answers.serve());
        requests.for_each(async |request| drop(tokio::spawn(request))).await;
    });
}
