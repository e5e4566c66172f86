//! Requests byte by byte, for what a well-behaved client would never do.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A connection on which anything can be written.
pub(crate) struct Raw(TcpStream);

impl Raw {
    pub(crate) fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
        Self(stream)
    }

    /// One whose kernel takes little that is not read.
    pub(crate) fn with_small_buffer(address: &str) -> Self {
        let address: SocketAddr = address.parse().expect("an address");
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(address),
            socket2::Type::STREAM,
            None,
        );
        let socket = socket.expect("a socket");
        socket.set_recv_buffer_size(16 * 1024).expect("set");
        socket.connect(&address.into()).expect("connected");
        socket.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
        Self(socket.into())
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("written");
    }

    /// Writes to a side that may be gone.
    pub(crate) fn write_if_open(&mut self, bytes: &[u8]) {
        // That it is gone is what the reader will see.
        let _ = self.0.write_all(bytes);
    }

    /// Reads to the end of the body or connection with pauses, in about `time`.
    pub(crate) fn slowly(&mut self, time: Duration) -> Vec<u8> {
        let begun = Instant::now();
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match self.0.read(&mut buffer) {
                Ok(0) => return bytes,
                Ok(count) => bytes.extend(&buffer[..count]),
                Err(error) => panic!("after {} bytes: {error}", bytes.len()),
            }
            if begun.elapsed() < time {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// The head of the answer and what came with it.
    pub(crate) fn head(&mut self) -> (String, Vec<u8>) {
        self.head_after(Vec::new())
    }

    /// The same, when `bytes` came already.
    pub(crate) fn head_after(&mut self, mut bytes: Vec<u8>) -> (String, Vec<u8>) {
        let mut buffer = [0; 2048];
        loop {
            if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                let rest = bytes.split_off(end + 4);
                return (String::from_utf8(bytes).expect("ASCII"), rest);
            }
            let count = self.0.read(&mut buffer).expect("an answer");
            assert!(count > 0, "closed within the head: {}", String::from_utf8_lossy(&bytes));
            bytes.extend(&buffer[..count]);
        }
    }

    /// Reads until there are `length` bytes.
    pub(crate) fn fill(&mut self, bytes: &mut Vec<u8>, length: usize) {
        let mut buffer = vec![0; 65536];
        while bytes.len() < length {
            let count = self.0.read(&mut buffer).expect("an answer");
            assert!(count > 0, "closed after {} bytes", bytes.len());
            bytes.extend(&buffer[..count]);
        }
    }

    /// Reads to the end; gives the bytes and how long it took. A reset is an end too.
    pub(crate) fn rest(&mut self) -> (Vec<u8>, Duration) {
        let begun = Instant::now();
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 65536];
        loop {
            match self.0.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => bytes.extend(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
                Err(error) => panic!("still open after {:?}: {error}", begun.elapsed()),
            }
        }
        (bytes, begun.elapsed())
    }

    /// The same connection, to write from another thread.
    pub(crate) fn other(&self) -> Self {
        Self(self.0.try_clone().expect("a descriptor"))
    }

    /// Tells the other side that nothing more is written.
    pub(crate) fn close_half(&mut self) {
        self.0.shutdown(std::net::Shutdown::Write).expect("open");
    }

    /// Reads what is there; gives how often `what` begins in it. Text that is cut between two reads
    /// is read on until it is whole.
    pub(crate) fn count(&mut self, what: &[u8]) -> usize {
        let mut bytes = vec![0; 65536];
        let mut length = 0;
        while length == 0 || !bytes[..length].ends_with(b"ok\n") {
            if length == bytes.len() {
                bytes.resize(length * 2, 0);
            }
            let count = self.0.read(&mut bytes[length..]).expect("an answer");
            assert!(count > 0, "closed");
            length += count;
        }
        bytes[..length].windows(what.len()).filter(|window| *window == what).count()
    }
}
