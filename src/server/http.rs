//! HTTP/1.1 (RFC 9112) and HTTP/2 (RFC 9113) as we speak them.

use std::time::Duration;

use hyper::rt::Executor;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto::Builder;

use crate::config;

/// Runs the streams of HTTP/2 on the thread of their connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Local;

impl<F: Future<Output: 'static> + 'static> Executor<F> for Local {
    fn execute(&self, stream: F) {
        tokio::task::spawn_local(stream);
    }
}

/// Lines of a head for which hyper keeps its place on the stack.
const HEAD_LINES: usize = 100;

/// Bytes of an answer that hyper may hold for a stream of HTTP/2 beyond the piece at hand.
const SEND_BUFFER: usize = 256 * 1024;

/// Speaks HTTP/2 with who begins with its preface (RFC 9113 section 3.4), after ALPN or by prior
/// knowledge, else HTTP/1.1.
///
/// Of HTTP/1.1 never `pipeline_flush`: it copies the whole body of every slow client. Of HTTP/2 the
/// h2 crate itself bounds CONTINUATION frames by the size of a head (the flood of 2024,
/// VU#421644), and streams that are reset: see `http2_max_resets`.
pub(super) fn builder(settings: &config::Server) -> Builder<Local> {
    let mut builder = Builder::new(Local);
    builder
        .http1()
        .timer(TokioTimer::new())
        // A silent client, half a head, and idling between requests are one thing to hyper.
        .header_read_timeout(Duration::from_millis(settings.idle_timeout_ms))
        .max_buf_size(settings.max_head_bytes);
    if settings.max_head_lines != HEAD_LINES {
        builder.http1().max_headers(settings.max_head_lines);
    }
    let ping = Duration::from_millis(settings.http2_ping_ms);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(settings.http2_max_streams)
        .max_header_list_size(settings.max_head_bytes.try_into().unwrap_or(u32::MAX))
        // One upload may use the whole window of the connection.
        .initial_stream_window_size(settings.http2_window_bytes)
        .initial_connection_window_size(settings.http2_window_bytes)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(settings.http2_max_resets)
        .max_local_error_reset_streams(settings.http2_max_resets)
        .keep_alive_interval(ping)
        .keep_alive_timeout(ping);
    builder
}
