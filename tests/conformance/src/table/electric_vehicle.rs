//! ISO 15118-3, the car's matching.

use control_pilot::Output;
use homeplug_mme::ValidateResult::{Failure, NotRequired, Success};
use slac::PevState;

use super::What::{Fails, No, Passes};
use super::matching_charger::AMP_MAP;
use super::{Row, row};
use crate::matching::car::{
    link, link_torn_down, match_after_restart, match_bent, match_good, match_unanswered, nearest, no_report,
    parm, parm_bent, parm_late, parm_unanswered, parm_waits_for_pilot, paused, report, report_bent,
    report_unmeasured, terminated, validate, validate_bent, validate_first, validate_next,
    validate_not_ready, validate_not_ready_twice, validate_unanswered, validate_uncounted,
    validates_or_matches,
};
use crate::matching::{APPLICATION, SECURITY, matched, parm as cnf, report as field, validate as signal};
use crate::world::{pilot_comes_late, pilot_lost, unplugged};

const AC: &str = "AC charging";
const STRICT: &str =
    "with `lenient` off: by default a charger whose modem does not measure is taken where no other is left";
const NOMINAL: &str = "a nominal duty cycle is AC charging: our car waits for 5 %";
const NAMES: &str = "names are not looked at: a charger may have one, and the run id binds the message";
const OLD: &str = "old chargers leave it at zero, and the run id binds the message";
const TARGET: &str = "the target is not looked at: our sounds go to all, whatever it says";
const ALONE: &str = "on the matching alone: DIN SPEC 70121 has no pause";
const READING: &str = "our reading of the case";
const SOLE: &str = "where only one charger is heard it is taken: many do not validate";

/// Changes of the pilot in the cases: the oscillator off (steady +12 V), and -12 V.
const OFF: Output = Output::Steady;
const F: Output = Output::Negative;
const E: Output = Output::Zero;

pub(super) const ROWS: &[Row] = &[
    row("EVCC * CmAmpMap *", No(AMP_MAP)),
    row("EVCC AC AttenuationCharacterization *", No(AC)),
    row("EVCC AC CmSlacParm *", No(AC)),
    row("EVCC AC PLCLinkStatus *", No(AC)),
    //
    row("EVCC CMN CmSlacParm 1", Passes(parm, "")),
    row("EVCC CMN CmSlacParm 2", Passes(parm_unanswered, "")),
    row("EVCC CMN CmSlacParm 3", Fails(|| parm_bent(cnf::FORWARDING), OLD)),
    row("EVCC CMN CmSlacParm 4", Passes(|| parm_bent(cnf::TIMEOUT), "")),
    row("EVCC CMN CmSlacParm 5", Fails(|| parm_bent(cnf::RESPONSE_TYPE), OLD)),
    row("EVCC CMN CmSlacParm 6", Passes(|| parm_bent(cnf::APPLICATION), "")),
    row("EVCC CMN CmSlacParm 7", Passes(|| parm_bent(cnf::SECURITY), "")),
    row("EVCC CMN CmSlacParm 8", Passes(|| parm_bent(cnf::RUN), "")),
    row("EVCC CMN CmSlacParm 9", Passes(parm_late, "")),
    row("EVCC CMN CmSlacParm 10", Passes(parm_waits_for_pilot, "")),
    row("EVCC CMN CmSlacParm 11", Fails(|| parm_bent(cnf::TARGET), TARGET)),
    row("EVCC CMN CmSlacParm 12", Passes(|| pilot_lost(PevState::Asking, &[F]), READING)),
    row("EVCC CMN CmSlacParm 13", Passes(|| pilot_lost(PevState::Asking, &[OFF]), READING)),
    row("EVCC CMN CmSlacParm 14", Passes(|| pilot_lost(PevState::Asking, &[F, OFF]), READING)),
    //
    row("EVCC CMN AttenuationCharacterization 1", Passes(report, "")),
    row("EVCC CMN AttenuationCharacterization 2", Passes(nearest, "")),
    row("EVCC CMN AttenuationCharacterization 3", Passes(no_report, "")),
    row("EVCC CMN AttenuationCharacterization 4", Passes(|| report_bent(APPLICATION), "")),
    row("EVCC CMN AttenuationCharacterization 5", Passes(|| report_bent(SECURITY), "")),
    row("EVCC CMN AttenuationCharacterization 6", Passes(|| report_bent(field::CAR), "")),
    row("EVCC CMN AttenuationCharacterization 7", Passes(|| report_bent(field::RUN), "")),
    row("EVCC CMN AttenuationCharacterization 8", Fails(|| report_bent(field::SOURCE), NAMES)),
    row("EVCC CMN AttenuationCharacterization 9", Fails(|| report_bent(field::RESPONDER), NAMES)),
    row("EVCC CMN AttenuationCharacterization 10", Passes(|| report_unmeasured(field::GROUPS), STRICT)),
    row("EVCC CMN AttenuationCharacterization 11", Passes(|| report_unmeasured(field::SOUNDS), STRICT)),
    row("EVCC CMN AttenuationCharacterization 12", Passes(|| pilot_lost(PevState::Sounding, &[OFF]), "")),
    row("EVCC CMN AttenuationCharacterization 13", Passes(|| pilot_lost(PevState::Sounding, &[F]), "")),
    //
    row("EVCC CMN CmSlacMatch 1-2", Passes(match_good, "")),
    row("EVCC CMN CmSlacMatch 3", Passes(match_unanswered, "")),
    row("EVCC CMN CmSlacMatch 4", Passes(|| match_bent(APPLICATION), "")),
    row("EVCC CMN CmSlacMatch 5", Passes(|| match_bent(SECURITY), "")),
    row("EVCC CMN CmSlacMatch 6", Passes(|| match_bent(matched::LENGTH), "")),
    row("EVCC CMN CmSlacMatch 7", Fails(|| match_bent(matched::CAR_NAME), NAMES)),
    row("EVCC CMN CmSlacMatch 8", Passes(|| match_bent(matched::CAR), "")),
    row("EVCC CMN CmSlacMatch 9", Fails(|| match_bent(matched::CHARGER_NAME), NAMES)),
    row("EVCC CMN CmSlacMatch 10", Passes(|| match_bent(matched::CHARGER), "")),
    row("EVCC CMN CmSlacMatch 11", Passes(|| match_bent(matched::RUN), "")),
    row("EVCC CMN CmSlacMatch 12", Passes(match_after_restart, "")),
    //
    row("EVCC CMN CmValidate 1", Passes(|| validate(3, Success, true), "")),
    row("EVCC CMN CmValidate 2-3", No(NOMINAL)),
    row("EVCC CMN CmValidate 4", Fails(validate_unanswered, SOLE)),
    row("EVCC CMN CmValidate 5", Passes(|| validate_bent(signal::SIGNAL), READING)),
    row("EVCC CMN CmValidate 6", Passes(|| validate_bent(signal::RESULT), READING)),
    row("EVCC CMN CmValidate 7", Passes(validate_uncounted, "the second step")),
    row("EVCC CMN CmValidate 8", Passes(|| validate(3, Success, true), READING)),
    row("EVCC CMN CmValidate 9", Passes(validate_next, "")),
    row("EVCC CMN CmValidate 10", Passes(|| validate(3, Failure, false), READING)),
    row("EVCC CMN CmValidate 11", Passes(|| validate_not_ready(1, true), READING)),
    row("EVCC CMN CmValidate 12", Passes(|| validate_first(NotRequired, true), READING)),
    row("EVCC CMN CmValidate 13", Passes(|| validate(0, Failure, false), READING)),
    row("EVCC CMN CmValidate 14", Fails(|| validate_first(Failure, false), SOLE)),
    row("EVCC CMN CmValidate 15", Passes(|| validate_first(Failure, true), READING)),
    row("EVCC CMN CmValidate 16", Passes(|| validate(2, Success, false), "")),
    row("EVCC CMN CmValidate 17", Passes(|| validate(0, NotRequired, true), READING)),
    row("EVCC CMN CmValidate 18", Passes(validate_not_ready_twice, READING)),
    row("EVCC CMN CmValidate 19", Passes(|| validate_not_ready(6, false), READING)),
    row("EVCC CMN CmValidate 20", Passes(|| pilot_lost(PevState::Validating, &[OFF]), "")),
    row("EVCC CMN CmValidate 21", Passes(|| pilot_lost(PevState::Validating, &[F]), "")),
    row("EVCC CMN CmValidateOrCmSlacMatch 1", Passes(validates_or_matches, "")),
    //
    row("EVCC CMN PLCLinkStatus 1", Passes(link, "")),
    row("EVCC CMN PLCLinkStatus 2", Passes(link_torn_down, "")),
    row("EVCC CMN PLCLinkStatus 3", Passes(|| pilot_lost(PevState::Joining, &[OFF]), "")),
    row("EVCC CMN PLCLinkStatus 4", Passes(|| pilot_lost(PevState::Joining, &[F]), "")),
    row("EVCC CMN PLCLinkStatus 5", Passes(pilot_comes_late, "5 % comes 7.5 s after the plug")),
    row("EVCC CMN PLCLinkStatus 6", Passes(|| pilot_lost(PevState::Matched, &[E]), "")),
    row("EVCC CMN PLCLinkStatus 7", Passes(|| pilot_lost(PevState::Matched, &[F]), "")),
    row("EVCC CMN PLCLinkStatus 8", Passes(unplugged, "")),
    row("EVCC DC PLCLinkStatus 1-2,4-5", Passes(paused, ALONE)),
    row("EVCC DC PLCLinkStatus 3", Passes(terminated, "")),
];
