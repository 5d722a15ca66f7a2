//! The wiring and its check.

use hal_esp32p4::{Pads, PinError, Pins, Signal};

#[test]
fn the_default_wiring_is_legal_and_has_every_signal_once() {
    assert_eq!(Pins::default().check(), Ok(()));
    assert_eq!(Signal::all().count(), Signal::COUNT);
    for signal in Signal::all() {
        assert_eq!(Pins::default().pad(signal), Some(signal.default_pad()), "{signal}");
        assert_eq!(Signal::all().filter(|other| *other == signal).count(), 1, "{signal}");
    }
}

#[test]
fn every_pad_that_is_not_legal_is_refused_with_what_is() {
    for signal in Signal::all() {
        for pad in (0..=u8::MAX).filter(|pad| !signal.legal().contains(*pad)) {
            let error = Pins::default().with(signal, pad).check().unwrap_err();
            let words = format!("GPIO{pad} cannot be {signal}: legal are GPIO{}", signal.legal());
            assert_eq!((error, error.to_string()), (PinError::Illegal { signal, pad }, words));
        }
    }
}

#[test]
fn every_legal_pad_is_taken_unless_another_signal_has_it() {
    for signal in Signal::all() {
        for pad in (0..=Pads::LAST).filter(|pad| signal.legal().contains(*pad)) {
            let other = Signal::all().find(|other| *other != signal && other.default_pad() == pad);
            let pins = Pins::default().with(signal, pad);
            let Some(other) = other else {
                assert_eq!(pins.check(), Ok(()), "{signal} at {pad}");
                continue;
            };
            let error = pins.check().unwrap_err();
            let (first, second) = (signal.min(other), signal.max(other));
            assert_eq!(error, PinError::Twice { pad, first, second });
            assert!(error.to_string().starts_with(&format!("GPIO{pad} is both {first} and {second}: ")));
        }
    }
}

#[test]
fn what_every_board_needs_cannot_be_left_out_and_the_rest_can() {
    for signal in Signal::all() {
        let expected = if signal.is_optional() { Ok(()) } else { Err(PinError::Missing { signal }) };
        assert_eq!(Pins::default().without(signal).check(), expected, "{signal}");
    }
}

#[test]
fn a_board_drives_the_pilot_or_measures_its_edges() {
    let pins = Pins::default().without(Signal::PilotPwm).without(Signal::PilotEdge);
    assert_eq!(pins.check(), Err(PinError::Missing { signal: Signal::PilotEdge }));
}

#[test]
fn the_customers_first_table_is_refused_pad_by_pad() {
    let table = [
        (Signal::CrsDv, 30),
        (Signal::Rxd0, 28),
        (Signal::Rxd1, 29),
        (Signal::Txd0, 33),
        (Signal::Txd1, 34),
        (Signal::TxEn, 32),
        (Signal::ProximityAdc, 5),
    ];
    for (signal, pad) in table {
        assert_eq!(Pins::default().with(signal, pad).check(), Err(PinError::Illegal { signal, pad }));
    }
}

#[test]
fn nothing_that_moves_high_voltage_can_be_at_a_pad_that_the_chip_uses_while_it_boots() {
    let moving = [
        Signal::ContactorPlus,
        Signal::ContactorMinus,
        Signal::Precharge,
        Signal::Discharge,
        Signal::Relay,
        Signal::Lock,
    ];
    for signal in moving {
        for pad in [2, 3, 4, 5, 24, 25, 32, 33, 34, 35, 36, 37, 38] {
            assert!(!signal.legal().contains(pad), "{signal} at {pad}");
        }
    }
}

#[test]
fn a_pad_without_a_signal_is_found_where_there_is_one() {
    let pins = Pins::default();
    assert_eq!(pins.free(Pads::ADC1), Some(16));
    assert_eq!(pins.with(Signal::Relay, 16).free(Pads::ADC1), Some(17));
    assert_eq!(pins.free(Pads::of(&[20, 21, 46])), None);
}

#[test]
fn pads_print_as_ranges() {
    assert_eq!(Pads::of(&[3, 1, 2, 7]).to_string(), "1-3, 7");
    assert_eq!(Pads::of(&[0, 54, 55, 255]).to_string(), "0, 54");
    assert_eq!(Pads::ALL.to_string(), "0-54");
    assert_eq!(Pads::of(&[]).to_string(), "");
}

#[test]
fn the_readme_and_the_boards_page_have_the_table_as_it_is_in_the_code() {
    let pages = [
        ("README.md", include_str!("../README.md")),
        ("docs/board.md", include_str!("../../../docs/board.md")),
    ];
    for (name, page) in pages {
        for signal in Signal::all() {
            let row = format!(
                "| {signal} | {} | {} | {} |",
                signal.default_pad(),
                signal.legal(),
                signal.reset().name()
            );
            assert!(page.contains(&row), "{name} needs the row\n{row}");
        }
    }
}
