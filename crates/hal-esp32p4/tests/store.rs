//! Settings and the latch over a simulated flash whose power fails at any byte.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod board;
mod nor;

use board::{BoardOutputs, World};
use hal_esp32p4::{Full, Key, Side, Store, StoreError};
use nor::{NoPower, Nor};
use proptest::prelude::*;
use session::Latch;

const NAME: Key = Key::new(1).unwrap();
const MODE: Key = Key::new(2).unwrap();
const ALL: [Latch; 10] = [
    Latch::NoCurrent,
    Latch::Isolation,
    Latch::Voltage,
    Latch::OutOfRange,
    Latch::ReverseCurrent,
    Latch::Suspect,
    Latch::EmergencyStop,
    Latch::VoltagePresent,
    Latch::Contactors,
    Latch::Unreadable,
];

/// Saves with outputs that are SAFE.
fn save(store: &mut Store<Nor>) -> Result<(), StoreError<NoPower>> {
    let mut outputs: BoardOutputs = World::new().armed(Side::Charger);
    let safe = outputs.while_safe().unwrap();
    store.save(&safe)
}

fn keep(flash: &Nor, name: &[u8], latch: Option<Latch>) {
    let mut store = flash.load();
    store.set(NAME, name).unwrap();
    store.set_latch(latch);
    save(&mut store).unwrap();
}

/// The stored name and latch.
fn kept(flash: &Nor) -> (Option<Vec<u8>>, Option<Latch>) {
    let store = flash.load();
    (store.get(NAME).map(<[u8]>::to_vec), store.latch())
}

#[test]
fn a_blank_flash_is_a_new_board_without_settings_and_latch() {
    let store = Nor::new().load();
    assert_eq!((store.get(NAME), store.latch(), store.is_dirty()), (None, None, false));
}

#[test]
fn what_was_saved_is_there_after_a_start() {
    let flash = Nor::new();
    let mut store = flash.load();
    store.set(NAME, b"garage").unwrap();
    store.set(MODE, &[]).unwrap();
    assert!(store.is_dirty());
    save(&mut store).unwrap();
    assert!(!store.is_dirty());
    store.set(NAME, b"not saved").unwrap();
    let store = flash.load();
    assert_eq!((store.get(NAME), store.get(MODE)), (Some(&b"garage"[..]), Some(&[][..])));
    let mut store = store;
    store.remove(MODE);
    save(&mut store).unwrap();
    assert_eq!((flash.load().get(NAME), flash.load().get(MODE)), (Some(&b"garage"[..]), None));
}

#[test]
fn every_latch_is_kept_and_reset() {
    for latch in ALL {
        let flash = Nor::new();
        keep(&flash, b"x", Some(latch));
        assert_eq!(kept(&flash).1, Some(latch));
        keep(&flash, b"x", None);
        assert_eq!(kept(&flash).1, None);
    }
}

#[test]
fn nothing_is_written_when_nothing_has_changed() {
    let flash = Nor::new();
    keep(&flash, b"same", None);
    let before = flash.copy();
    for _ in 0..10 {
        keep(&flash, b"same", None);
    }
    assert_eq!(flash.0.borrow().sectors, before.0.borrow().sectors);
}

#[test]
fn a_thousand_saves_wear_both_sectors_the_same_and_the_last_one_wins() {
    let flash = Nor::new();
    for number in 0..1_000_u32 {
        keep(&flash, &number.to_le_bytes(), None);
        assert_eq!(kept(&flash).0.unwrap(), number.to_le_bytes());
    }
    let erased = flash.0.borrow().erased;
    assert!(erased[0].abs_diff(erased[1]) <= 1 && erased[0] <= 1_000 / 16 + 1, "{erased:?}");
}

#[test]
fn settings_fit_to_the_byte_and_a_latch_always_has_room() {
    let flash = Nor::new();
    let mut store = flash.load();
    // 462 bytes: keys, lengths and values; 26 are the latch's.
    store.set(NAME, &[1; 200]).unwrap();
    assert_eq!(store.set(MODE, &[2; 259]), Err(Full { needed: 463 }));
    assert_eq!(store.get(MODE), None);
    let most = Key::new(3).unwrap();
    store.set(MODE, &[2; 200]).unwrap();
    store.set(most, &[3; 56]).unwrap();
    assert_eq!(store.set(most, &[3; 57]), Err(Full { needed: 463 }));
    assert_eq!(store.set(NAME, &[1; 256]), Err(Full { needed: 518 }));
    for latch in ALL {
        store.set_latch(Some(latch));
        save(&mut store).unwrap();
        let loaded = flash.load();
        assert_eq!((loaded.latch(), loaded.get(most)), (Some(latch), Some(&[3; 56][..])));
    }
}

/// Fills the store so that the next save is number `before` since both sectors were blank.
fn filled(before: u32) -> Nor {
    let flash = Nor::new();
    for number in 0..before {
        keep(&flash, &[u8::try_from(number).unwrap(); 20], None);
    }
    keep(&flash, b"old", None);
    flash
}

/// Cuts the power in every step of a save; checks the content after it, and that the store still works.
fn cut_everywhere(before: &Nor, change: impl Fn(&mut Store<Nor>), check: impl Fn(&Nor, usize)) {
    for torn in [0x00, 0xFF, 0x5A] {
        for steps in 0.. {
            let flash = before.copy();
            let mut store = flash.load();
            change(&mut store);
            flash.fail_after(steps, torn);
            let is_saved = save(&mut store).is_ok();
            flash.power_on();
            check(&flash, steps);
            keep(&flash, b"after", Some(Latch::Voltage));
            assert_eq!(kept(&flash), (Some(b"after".to_vec()), Some(Latch::Voltage)), "{steps}");
            if is_saved {
                break;
            }
        }
    }
}

#[test]
fn a_power_cut_at_any_byte_leaves_the_old_settings_or_the_new_ones_and_never_a_latch() {
    // A slot in the middle, the last of a sector, the first of the next, and with erasing ahead.
    for saves in [0, 1, 5, 6, 7, 8, 9] {
        cut_everywhere(
            &filled(saves),
            |store| store.set(NAME, b"new").unwrap(),
            |flash, steps| {
                let (name, latch) = kept(flash);
                let name = name.unwrap();
                assert!(name == b"old" || name == b"new", "{saves} {steps}: {name:?}");
                assert_eq!(latch, None, "{saves} {steps}");
            },
        );
    }
}

#[test]
fn the_other_sector_is_erased_before_the_last_slot_is_written_even_with_one_good_copy_in_this_one() {
    let before = filled(7);
    before.0.borrow_mut().worn = (1..7).map(|slot| (1, slot * 512 + 20)).collect();
    // Into slot 0 of the second sector, over the worn ones into its last, into the first sector again.
    for name in [b"one", b"two"] {
        let change = |store: &mut Store<Nor>| store.set(NAME, name).unwrap();
        let old = kept(&before).0;
        cut_everywhere(&before, change, |flash, steps| {
            let (kept, latch) = kept(flash);
            assert!(kept == old || kept.as_deref() == Some(name), "{steps}: {kept:?}");
            assert_eq!(latch, None, "{steps}");
        });
        keep(&before, name, None);
    }
    cut_everywhere(
        &before,
        |store| store.set(NAME, b"three").unwrap(),
        |flash, steps| assert_eq!(kept(flash).1, None, "{steps}"),
    );
}

#[test]
fn a_power_cut_while_a_latch_is_saved_leaves_a_latch_from_its_first_byte_on() {
    for saves in [0, 1, 5, 6, 7, 8, 9] {
        cut_everywhere(
            &filled(saves),
            |store| store.set_latch(Some(Latch::Contactors)),
            |flash, steps| {
                let (name, latch) = kept(flash);
                assert_eq!(name.unwrap(), b"old", "{saves} {steps}");
                let has_begun = flash.0.borrow().sectors.concat().chunks(512).any(|slot| {
                    // A part of the word that is written first is present.
                    slot[0] != 0xFF && slot[0] & 0xF0 != 0xF0
                });
                let expected = [Some(Latch::Contactors), Some(Latch::Unreadable)];
                assert!(
                    expected.contains(&latch) || !has_begun && latch.is_none(),
                    "{saves} {steps}: {latch:?}"
                );
            },
        );
    }
}

#[test]
fn a_power_cut_while_a_latch_is_reset_leaves_that_latch_or_none() {
    for saves in [0, 5, 6, 7] {
        let before = filled(saves);
        keep(&before, b"old", Some(Latch::Isolation));
        cut_everywhere(
            &before,
            |store| store.set_latch(None),
            |flash, steps| {
                let (name, latch) = kept(flash);
                assert_eq!(name.unwrap(), b"old");
                assert!(latch.is_none() || latch == Some(Latch::Isolation), "{saves} {steps}: {latch:?}");
            },
        );
    }
}

#[test]
fn a_power_cut_while_settings_are_saved_leaves_the_latch_that_was_kept() {
    let before = filled(3);
    keep(&before, b"old", Some(Latch::Isolation));
    cut_everywhere(
        &before,
        |store| store.set(NAME, b"new").unwrap(),
        |flash, steps| assert_eq!(kept(flash).1, Some(Latch::Isolation), "{steps}"),
    );
}

#[test]
fn flash_that_holds_something_and_no_good_copy_is_a_latch() {
    for (sector, at, byte) in [(0, 0, 0x00), (0, 4_095, 0x7F), (1, 600, 0xFE), (1, 0, 0xF0)] {
        let flash = Nor::new();
        flash.0.borrow_mut().sectors[sector][at] = byte;
        assert_eq!(kept(&flash), (None, Some(Latch::Unreadable)));
        assert!(flash.load().is_dirty(), "it is to be saved");
        keep(&flash, b"mended", None);
        assert_eq!(kept(&flash), (Some(b"mended".to_vec()), None));
    }
}

#[test]
fn both_sectors_full_of_anything_are_a_latch_and_take_the_next_save() {
    let flash = Nor::new();
    flash.0.borrow_mut().sectors = [vec![0xF0; 4_096], vec![0; 4_096]];
    assert_eq!(kept(&flash), (None, Some(Latch::Unreadable)));
    keep(&flash, b"mended", None);
    assert_eq!(kept(&flash), (Some(b"mended".to_vec()), None));
}

#[test]
fn a_latch_that_was_saved_is_no_longer_being_set() {
    for steps in 0..512 {
        let flash = Nor::new();
        let mut store = flash.load();
        store.set_latch(Some(Latch::Voltage));
        save(&mut store).unwrap();
        store.set(NAME, b"new").unwrap();
        flash.fail_after(steps, 0x5A);
        save(&mut store).unwrap_err();
        assert_eq!(flash.load().latch(), Some(Latch::Voltage), "{steps}");
    }
}

#[test]
fn one_bit_that_flips_in_the_newest_copy_gives_the_one_before() {
    for bit in 0..8 * 40 {
        let flash = Nor::new();
        keep(&flash, b"old", None);
        keep(&flash, b"new", None);
        flash.0.borrow_mut().sectors[0][512 + bit / 8] ^= 1 << (bit % 8);
        let (name, latch) = kept(&flash);
        // In the first byte a latch may have been in progress; the rest of that word is covered too.
        assert_eq!(name.unwrap(), b"old", "bit {bit}");
        assert!(latch.is_none() || bit < 8, "bit {bit}");
    }
}

#[test]
fn a_slot_that_is_worn_is_passed_over_and_a_flash_that_is_worn_out_is_reported() {
    let flash = Nor::new();
    keep(&flash, b"old", None);
    for slot in 1..8 {
        flash.0.borrow_mut().worn.push((0, slot * 512 + 20));
    }
    keep(&flash, b"new", None);
    assert_eq!(kept(&flash), (Some(b"new".to_vec()), None), "in the other sector");
    let all = (0..2).flat_map(|sector| (0..8).map(move |slot| (sector, slot * 512 + 20)));
    flash.0.borrow_mut().worn = all.collect();
    let mut store = flash.load();
    store.set_latch(Some(Latch::Voltage));
    assert_eq!(save(&mut store), Err(StoreError::Worn));
    assert!(store.is_dirty() && store.latch() == Some(Latch::Voltage), "it holds in memory");
    assert_eq!(flash.load().get(NAME), Some(&b"new"[..]), "the last good copy is still there");
    assert_eq!(flash.load().latch(), Some(Latch::Unreadable), "and that a latch was being set");
}

proptest! {
    /// Random saves and power cuts, at most five torn ones in a row: the store has the last saved or the
    /// interrupted state, and a latch is lost only by a reset.
    #[test]
    fn any_row_of_saves_and_power_cuts_keeps_the_last_good_copy(
        saves in proptest::collection::vec((any::<u8>(), 0..900_usize, any::<u8>(), 0..3_u8), 1..60),
    ) {
        let flash = Nor::new();
        let mut before = (None, None);
        for (index, (value, steps, torn, latch)) in saves.into_iter().enumerate() {
            let mut store = flash.load();
            store.set(NAME, &[value; 30]).unwrap();
            match latch {
                0 => {}
                1 => store.set_latch(None),
                _ => store.set_latch(Some(Latch::Voltage)),
            }
            let new = (Some(vec![value; 30]), store.latch());
            if index % 6 != 5 {
                flash.fail_after(steps, torn);
            }
            let is_saved = save(&mut store).is_ok();
            flash.power_on();
            let now = kept(&flash);
            if is_saved {
                prop_assert_eq!(&now, &new);
            } else if now != new && now != before {
                prop_assert_eq!(&now, &(before.0.clone(), Some(Latch::Unreadable)));
                // A latch was being set, or no good copy of a first save exists.
                prop_assert!(new.1.is_some() || before.0.is_none(), "{new:?}");
            }
            before = now;
        }
    }
}
