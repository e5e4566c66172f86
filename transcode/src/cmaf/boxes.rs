//! Writing boxes (ISO/IEC 14496-12 section 4.2).

/// A growing run of boxes.
#[derive(Default)]
pub(crate) struct Boxes(Vec<u8>);

impl Boxes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Writes a box whose content `fill` writes; the size is set afterwards.
    pub(crate) fn put(&mut self, name: &[u8; 4], fill: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.0.len();
        self.u32(0).bytes(name);
        fill(self);
        let size = u32::try_from(self.0.len() - start).expect("boxes here stay below 4 GiB");
        self.0[start..start + 4].copy_from_slice(&size.to_be_bytes());
        self
    }

    /// Writes a box with version and flags.
    pub(crate) fn full(
        &mut self,
        name: &[u8; 4],
        version: u8,
        flags: u32,
        fill: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.put(name, |b| {
            b.u32(u32::from(version) << 24 | flags);
            fill(b);
        })
    }

    pub(crate) fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    pub(crate) fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    pub(crate) fn i32(&mut self, value: i32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn zeros(&mut self, count: usize) -> &mut Self {
        self.0.resize(self.0.len() + count, 0);
        self
    }

    /// Overwrites four bytes that were written before.
    pub(crate) fn patch_u32(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }
}
