use homeplug_mme::{Frame, MmType};
use machine::{Duration, Instant};

use super::Port;
use crate::{Chance, Span};

/// Random disturbance of the frames on a path: a host's cable or a path of the power line. The default has no
/// faults and no delay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// Lost frames of a thousand.
    pub loss_permille: u16,
    /// Frames of a thousand that arrive twice.
    pub duplicate_permille: u16,
    /// Frames of a thousand that arrive with one flipped bit.
    pub corrupt_permille: u16,
    /// Frames of a thousand that are delayed until later ones overtake them.
    pub reorder_permille: u16,
    /// Delay of every frame.
    pub delay: Span,
}

/// Additional delay of a reordered frame: several times the gap between two sounds, judgement.
const REORDERED: Span = Span::millis(20, 200);

/// One direction of a path, with its own random stream.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) weather: Weather,
    chance: Chance,
    /// Arrival of the last frame: a frame that is not reordered does not overtake it.
    last: Instant,
}

impl Way {
    pub(super) const fn new(chance: Chance, weather: Weather) -> Self {
        Self { weather, chance, last: Instant::ZERO }
    }

    /// Returns the copies of `frame` that arrive, each with its time.
    pub(super) fn carry(&mut self, now: Instant, frame: Vec<u8>, mut arrives: impl FnMut(Instant, Vec<u8>)) {
        let Self { weather, chance, last } = self;
        if chance.happens(weather.loss_permille) {
            return;
        }
        let is_doubled = chance.happens(weather.duplicate_permille);
        let mut arrive = |mut frame: Vec<u8>| {
            let mut at = (now + chance.within(weather.delay)).max(*last);
            if chance.happens(weather.reorder_permille) {
                at += chance.within(REORDERED);
            } else {
                *last = at;
            }
            if chance.happens(weather.corrupt_permille) {
                let bits = frame.len() as u64 * 8;
                flip(&mut frame, chance.below(bits));
            }
            arrives(at, frame);
        };
        if is_doubled {
            arrive(frame.clone());
        }
        arrive(frame);
    }
}

/// A scripted fault: its effect on which frames, at which place, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where it applies.
    pub place: Place,
    /// Only management messages of this type; `None`: every frame.
    pub mm_type: Option<MmType>,
    /// Number of matching frames that pass unchanged first.
    pub skip: u32,
    /// Number of frames that are then affected; [`Rule::ALWAYS`]: all that follow.
    pub times: u32,
    /// The effect on them.
    pub act: Act,
}

impl Rule {
    /// The rule never ends.
    pub const ALWAYS: u32 = u32::MAX;
}

/// A place for a [`Rule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On a host's cable, from the host to its modem.
    FromHost(Port),
    /// On a host's cable, from the modem to its host.
    ToHost(Port),
    /// On the power line, from one modem to another.
    Path {
        /// The modem that sends.
        from: Port,
        /// The modem that receives.
        to: Port,
    },
}

/// The effect of a [`Rule`] on a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The frame is lost.
    Lose,
    /// The frame arrives later; other frames may overtake it.
    Delay(Duration),
    /// The frame arrives twice.
    Duplicate,
    /// These bytes replace those at this offset of the Ethernet frame; bytes beyond its end are left out.
    Set {
        /// Bytes from the start of the frame.
        offset: usize,
        /// The replacement.
        bytes: &'static [u8],
    },
    /// The bits of the mask are flipped in the byte at this offset of the Ethernet frame.
    Flip {
        /// Bytes from the start of the frame.
        offset: usize,
        /// The bits that are flipped.
        mask: u8,
    },
    /// Only this many bytes of the Ethernet frame arrive.
    Cut(usize),
}

/// The rules of a script, in the order of addition; each applies to what the earlier ones left.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

impl Rules {
    pub(super) fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the copies of `frame` that are left at `place`, each with its additional delay.
    pub(super) fn apply(&mut self, place: Place, frame: Vec<u8>, mut left: impl FnMut(Duration, Vec<u8>)) {
        if self.0.is_empty() {
            return left(Duration::ZERO, frame);
        }
        self.hit(place, frame).into_iter().for_each(|(delay, frame)| left(delay, frame));
    }

    fn hit(&mut self, place: Place, frame: Vec<u8>) -> Vec<(Duration, Vec<u8>)> {
        let mm_type = Frame::parse(&frame).ok().map(|frame| frame.mm_type);
        let mut left = vec![(Duration::ZERO, frame)];
        for rule in &mut self.0 {
            let is_meant = rule.place == place && (rule.mm_type.is_none() || rule.mm_type == mm_type);
            if !is_meant || left.is_empty() {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if rule.times == 0 {
                continue;
            }
            if rule.times != Rule::ALWAYS {
                rule.times -= 1;
            }
            rule.act.perform(&mut left);
        }
        self.0.retain(|rule| rule.times > 0);
        left
    }
}

impl Act {
    fn perform(self, left: &mut Vec<(Duration, Vec<u8>)>) {
        match self {
            Self::Lose => left.clear(),
            Self::Delay(time) => left.iter_mut().for_each(|(delay, _)| *delay = *delay + time),
            Self::Duplicate => left.extend_from_within(..),
            Self::Set { offset, bytes } => {
                for (_, frame) in left {
                    frame.iter_mut().skip(offset).zip(bytes).for_each(|(byte, new)| *byte = *new);
                }
            }
            Self::Flip { offset, mask } => {
                left.iter_mut().filter_map(|(_, frame)| frame.get_mut(offset)).for_each(|byte| *byte ^= mask);
            }
            Self::Cut(length) => left.iter_mut().for_each(|(_, frame)| frame.truncate(length)),
        }
    }
}

/// Flips the bit with this number, counted from the lowest bit of the first byte.
fn flip(frame: &mut [u8], bit: u64) {
    let byte = usize::try_from(bit / 8).ok().and_then(|index| frame.get_mut(index));
    if let Some(byte) = byte {
        *byte ^= 1 << (bit % 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place::FromHost(Port(0));

    fn frame(mmtype: u16) -> Vec<u8> {
        let mut frame = vec![0; 60];
        frame[12..15].copy_from_slice(&[0x88, 0xE1, 1]);
        frame[15..17].copy_from_slice(&mmtype.to_le_bytes());
        frame
    }

    fn rule(act: Act) -> Rule {
        Rule { place: PLACE, mm_type: Some(MmType(0x6064)), skip: 0, times: Rule::ALWAYS, act }
    }

    fn after(act: Act) -> Vec<(Duration, Vec<u8>)> {
        let mut rules = Rules::default();
        rules.add(rule(act));
        left(&mut rules, PLACE, frame(0x6064))
    }

    fn left(rules: &mut Rules, place: Place, frame: Vec<u8>) -> Vec<(Duration, Vec<u8>)> {
        let mut all = Vec::new();
        rules.apply(place, frame, |delay, frame| all.push((delay, frame)));
        all
    }

    fn carried(way: &mut Way, micros: u64, frame: Vec<u8>) -> Vec<(Instant, Vec<u8>)> {
        let mut all = Vec::new();
        way.carry(Instant::from_micros(micros), frame, |at, frame| all.push((at, frame)));
        all
    }

    #[test]
    fn a_rule_hits_the_frames_it_names_and_only_as_often_as_it_says() {
        let mut rules = Rules::default();
        rules.add(Rule { skip: 1, times: 2, ..rule(Act::Lose) });
        let mut arrives = |place, mmtype| !left(&mut rules, place, frame(mmtype)).is_empty();
        assert!(arrives(PLACE, 0x6064), "skipped");
        assert!(arrives(PLACE, 0x6065), "another type");
        assert!(arrives(Place::ToHost(Port(0)), 0x6064), "another place");
        assert!(!arrives(PLACE, 0x6064));
        assert!(!arrives(PLACE, 0x6064));
        assert!(arrives(PLACE, 0x6064), "used up");
        assert!(rules.0.is_empty());
    }

    #[test]
    fn each_act_does_what_it_says() {
        let second = Duration::from_secs(1);
        assert_eq!(after(Act::Delay(second)), [(second, frame(0x6064))]);
        assert_eq!(after(Act::Duplicate).len(), 2);
        assert_eq!(after(Act::Cut(20))[0].1, frame(0x6064)[..20]);
        assert_eq!(after(Act::Flip { offset: 41, mask: 0x81 })[0].1[41], 0x81);
        let set = after(Act::Set { offset: 58, bytes: &[1, 2, 3] });
        assert_eq!(set[0].1[57..], [0, 1, 2]);
    }

    /// Carries a thousand frames; counts those that arrive, and how many of them are corrupt.
    fn count(weather: Weather) -> (u32, u32) {
        let mut way = Way::new(Chance::new(1), weather);
        let frames = (0..1000).flat_map(|_| carried(&mut way, 0, vec![0; 60]));
        frames.fold((0, 0), |(all, bad), (_, frame)| (all + 1, bad + u32::from(frame != [0; 60])))
    }

    #[test]
    fn weather_loses_doubles_and_corrupts_as_often_as_it_says() {
        assert_eq!(count(Weather::default()), (1000, 0));
        assert_eq!(count(Weather { loss_permille: 1000, ..Weather::default() }), (0, 0));
        assert_eq!(count(Weather { corrupt_permille: 1000, ..Weather::default() }), (1000, 1000));
        let (all, _) = count(Weather { loss_permille: 200, ..Weather::default() });
        assert!((750..850).contains(&all), "{all}");
        let (all, _) = count(Weather { duplicate_permille: 200, ..Weather::default() });
        assert!((1150..1250).contains(&all), "{all}");
    }

    #[test]
    fn frames_overtake_each_other_only_where_they_are_reordered() {
        let arrivals = |reorder_permille| {
            let weather = Weather { reorder_permille, delay: Span::millis(1, 9), ..Weather::default() };
            let mut way = Way::new(Chance::new(1), weather);
            let carry = |micros| carried(&mut way, micros, vec![1])[0].0;
            (0..100).map(carry).collect::<Vec<_>>()
        };
        assert!(arrivals(0).is_sorted());
        assert!(arrivals(0).windows(2).any(|pair| pair[0] != pair[1]));
        assert!(!arrivals(200).is_sorted());
    }
}
