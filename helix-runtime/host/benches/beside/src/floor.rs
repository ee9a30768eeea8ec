//! The floor: blocking sockets, and nothing on them.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use crate::{BYTES, Caller};

pub fn caller(mut socket: UnixStream) -> Caller {
    let mut bytes = [7; BYTES];
    Box::new(move |calls| {
        for _ in 0..calls {
            socket.write_all(&bytes).unwrap();
            socket.read_exact(&mut bytes).unwrap();
        }
    })
}

pub fn answer(mut socket: UnixStream) {
    let mut bytes = [0; BYTES];
    while socket.read_exact(&mut bytes).is_ok() {
        socket.write_all(&bytes).unwrap();
    }
}
