//! zbus, from one process to the other without a bus between.
//!
//! On its own runtime: on tokio's, of one thread, it takes longer.

use std::os::unix::net::UnixStream;

use zbus::connection::Builder;
use zbus::{Guid, interface, proxy};

use crate::{BYTES, Caller};

struct Answers;

#[interface(name = "helix.Echo")]
impl Answers {
    fn back(&self, bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }
}

#[proxy(interface = "helix.Echo", default_service = "helix.Echo", default_path = "/helix/Echo")]
trait Echo {
    fn back(&self, bytes: &[u8]) -> zbus::Result<Vec<u8>>;
}

pub fn caller(socket: UnixStream) -> Caller {
    let proxy = zbus::block_on(async {
        let connection = Builder::unix_stream(socket).p2p().build().await.unwrap();
        EchoProxy::new(&connection).await.unwrap()
    });
    Box::new(move |calls| {
        zbus::block_on(async {
            for _ in 0..calls {
                let reply = proxy.back(&[7; BYTES]).await.unwrap();
                assert_eq!(reply.len(), BYTES);
            }
        });
    })
}

pub fn answer(socket: UnixStream) {
    zbus::block_on(async {
        let builder = Builder::unix_stream(socket).server(Guid::generate()).p2p();
        builder.serve_at("/helix/Echo", Answers).build().await.unwrap().closed().await;
    });
}
