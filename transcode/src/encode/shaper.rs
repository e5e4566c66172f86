//! What the rungs show, and when: frames that show something new, upright and of the top rung's
//! size, with subtitles drawn in, each at its time.

use std::sync::mpsc::{Receiver, SyncSender};

use ffmpeg_next::Packet;
use ffmpeg_next::frame::Video;

use crate::Error;
use crate::burn::Burner;
use crate::frame::{Look, Upright, share};
use crate::plan::{PartRange, Plan, VideoPlan};
use crate::time::{VIDEO_SCALE, from_ms};

use super::lane::Job;
use super::pacer::{Cut, Due, Pacer, Which};
use super::sieve::Sieve;

/// What comes off the source, in its order.
pub(super) enum Read {
    /// A picture, its media time in ticks.
    Frame(Video),
    /// Of the subtitles that are drawn.
    Subtitle(Packet),
    /// There is no more.
    End,
}

/// At work on one part.
pub(super) struct Shaper {
    sieve: Sieve,
    upright: Upright,
    burner: Option<Burner>,
    pacer: Pacer,
    /// The last frame that was to be shown.
    held: Option<Video>,
    lanes: Option<SyncSender<Job>>,
}

impl Shaper {
    /// For rungs of which the largest has that `size`, and `lanes` leads to it.
    pub(super) fn new(
        plan: &Plan,
        video: &VideoPlan,
        range: PartRange,
        size: (u32, u32),
        burner: Option<Burner>,
        lanes: Option<SyncSender<Job>>,
    ) -> Self {
        // Deinterlacing looks at the frames around; subtitles that are drawn change by themselves.
        let still = !video.deinterlace && burner.is_none();
        Self {
            sieve: Sieve::new(still, from_ms(plan.gop_ms, VIDEO_SCALE)),
            upright: Upright::new(Look::video(video, size.0, size.1)),
            burner,
            pacer: pacer(plan, range),
            held: None,
            lanes,
        }
    }

    /// Works until the end of the part, or until nothing comes any more.
    pub(super) fn run(mut self, reads: &Receiver<Read>) -> Result<(), Error> {
        for read in reads {
            match read {
                Read::Frame(frame) => {
                    if self.sieve.keeps(&frame)? {
                        let ready = self.upright.push(frame)?;
                        if self.show(ready)? {
                            return Ok(());
                        }
                    }
                }
                Read::Subtitle(packet) => {
                    self.burner.iter_mut().for_each(|burner| burner.packet(&packet));
                }
                Read::End => return self.end(),
            }
        }
        // Decoding has stopped before the part's end and tells why itself.
        Ok(())
    }

    /// Sends what is due now that these have come; true when the part is complete.
    fn show(&mut self, ready: Vec<Video>) -> Result<bool, Error> {
        for mut frame in ready {
            let Some(time) = frame.pts() else { continue };
            if let Some(burner) = &mut self.burner {
                burner.draw(&mut frame)?;
            }
            let due = self.pacer.next(time);
            let ended = due.end.is_some();
            self.send(due, &frame)?;
            if ended {
                return Ok(true);
            }
            self.held = Some(frame);
        }
        Ok(false)
    }

    fn end(&mut self) -> Result<(), Error> {
        let rest = self.upright.flush()?;
        if self.show(rest)? {
            return Ok(());
        }
        let Some(last) = self.held.take() else {
            return Err(Error::unusable("no frame of the video could be decoded"));
        };
        let due = self.pacer.finish();
        self.send(due, &last)
    }

    /// `this` is the picture of the frame that has just come.
    fn send(&self, due: Due, this: &Video) -> Result<(), Error> {
        let lane = self.lanes.as_ref().ok_or_else(|| Error::plan("no rungs"))?;
        let send = |job| lane.send(job).map_err(|_| Error::unusable("an encoder stopped"));
        for shot in due.shots {
            let picture = match shot.which {
                Which::Before => self.held.as_ref().unwrap_or(this),
                Which::This => this,
            };
            let frame = share(picture)?;
            send(Job::Frame { frame, time: shot.time, key: shot.key, segment: shot.segment })?;
        }
        due.end.map_or(Ok(()), |end| send(Job::End(end)))
    }
}

fn pacer(plan: &Plan, range: PartRange) -> Pacer {
    let ticks = |ms| from_ms(ms, VIDEO_SCALE);
    let last = range.index + 1 == plan.parts.len();
    Pacer::new(Cut {
        segment: ticks(plan.segment_ms),
        gop: ticks(plan.gop_ms),
        start: ticks(range.start_ms),
        end: (!last).then(|| ticks(range.end_ms)),
        video_end: ticks(plan.duration_ms),
    })
}
