//! Choices made from an input's bytes, in order. Where the bytes are over every choice is the first,
//! so that a shorter input does less.

/// What is left of an input.
pub(super) struct Draw<'a>(&'a [u8]);

/// What has ever broken a screen, a page or a file: one byte of the input chooses one of these.
const ODD: [char; 64] = [
    '\0',
    '\u{1b}',
    '\u{7f}',
    '\u{80}',
    '\u{85}',
    '\u{9b}',
    '\u{9f}',
    '\u{a0}',
    '\u{ad}',
    '\u{301}',
    '\u{34f}',
    '\u{5d0}',
    '\u{600}',
    '\u{61c}',
    '\u{627}',
    '\u{644}',
    '\u{64b}',
    '\u{e33}',
    '\u{1100}',
    '\u{1161}',
    '\u{11a8}',
    '\u{115f}',
    '\u{17b4}',
    '\u{180e}',
    '\u{200b}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{2014}',
    '\u{2026}',
    '\u{2028}',
    '\u{2029}',
    '\u{202a}',
    '\u{202e}',
    '\u{2060}',
    '\u{2066}',
    '\u{2069}',
    '\u{206f}',
    '\u{20dd}',
    '\u{2328}',
    '\u{2764}',
    '\u{3000}',
    '\u{302a}',
    '\u{3164}',
    '\u{65e5}',
    '\u{d7b0}',
    '\u{d7ff}',
    '\u{e000}',
    '\u{fdfd}',
    '\u{fe0e}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{ff21}',
    '\u{ffa0}',
    '\u{fff9}',
    '\u{fffd}',
    '\u{fffe}',
    '\u{ffff}',
    '\u{1f1e6}',
    '\u{1f3fd}',
    '\u{1f469}',
    '\u{1f600}',
    '\u{e0041}',
    '\u{10ffff}',
];

impl<'a> Draw<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    pub(super) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number below `bound`, which is at most 256.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound.max(1)
    }

    /// One of these.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// Small numbers more often than large ones.
    pub(super) fn u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        let drawn = self.byte();
        if drawn < 200 {
            return drawn.into();
        }
        let taken = self.bytes(8);
        bytes[..taken.len()].copy_from_slice(taken);
        u64::from_le_bytes(bytes)
    }

    /// At most so many bytes.
    pub(super) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// As many bytes as the next one says.
    pub(super) fn run(&mut self) -> &'a [u8] {
        let count = usize::from(self.byte());
        self.bytes(count)
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// A text of as many characters as the next byte says: ASCII as it is, the other half of all
    /// bytes something odd, and after the last of them any character by its number.
    pub(super) fn text(&mut self) -> String {
        let run = self.run();
        odd_text(run)
    }
}

/// See [`Draw::text`].
pub(super) fn odd_text(bytes: &[u8]) -> String {
    let (mut draw, mut text) = (Draw::new(bytes), String::new());
    while !draw.is_over() {
        match draw.byte() {
            ascii @ 0..=0x7f => text.push(char::from(ascii)),
            0xff => {
                let number = u32::from_le_bytes([draw.byte(), draw.byte(), draw.byte() & 0x1f, 0]);
                text.extend(char::from_u32(number));
            }
            odd => text.push(ODD[usize::from(odd & 0x3f)]),
        }
    }
    text
}
