/// A source of unpredictable bytes: the operating system's, a chip's, or a script for tests.
pub trait Entropy {
    /// Fills `bytes`.
    fn fill(&mut self, bytes: &mut [u8]);

    /// One byte.
    fn byte(&mut self) -> u8 {
        let mut byte = [0];
        self.fill(&mut byte);
        byte[0]
    }
}

/// Entropy that repeats the bytes of a script.
///
/// For tests and for replaying a recorded session, whose session id must be the recorded one. An empty script
/// returns zeros.
#[derive(Clone, Debug)]
pub struct ScriptedEntropy<'a> {
    script: &'a [u8],
    next: usize,
}

impl<'a> ScriptedEntropy<'a> {
    /// Entropy that repeats `script`.
    pub const fn new(script: &'a [u8]) -> Self {
        Self { script, next: 0 }
    }
}

impl Entropy for ScriptedEntropy<'_> {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.script.get(self.next).copied().unwrap_or(0);
            self.next = if self.next + 1 < self.script.len() { self.next + 1 } else { 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_repeats_and_an_empty_one_gives_zeros() {
        let mut bytes = [9; 5];
        ScriptedEntropy::new(&[1, 2]).fill(&mut bytes);
        assert_eq!(bytes, [1, 2, 1, 2, 1]);
        ScriptedEntropy::new(&[]).fill(&mut bytes);
        assert_eq!(bytes, [0; 5]);
    }
}
