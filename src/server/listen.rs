//! Sockets to listen on.

use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Waiting connections that the kernel holds for a listener.
const BACKLOG: i32 = 4096;

/// `count` listeners on `address`, among which the kernel deals the connections.
///
/// # Errors
///
/// When it cannot be listened on, or somebody else does.
pub(super) fn listen(address: SocketAddr, count: usize) -> std::io::Result<Vec<TcpListener>> {
    // With SO_REUSEPORT two programs could share an address, each answering half of
    // the requests: one socket without it finds out whether it is taken.
    drop(bind(address, false)?);
    let first = one(address)?;
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    for _ in 1..count {
        listeners.push(one(address)?);
    }
    Ok(listeners)
}

fn one(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = bind(address, true)?;
    socket.set_nonblocking(true)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn bind(address: SocketAddr, shared: bool) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
