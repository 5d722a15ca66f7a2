//! ISO 15118-3, the charger's matching.

use homeplug_mme::ValidateResult;
use slac::EvseValidation;

use super::What::{Fails, No, Passes};
use super::{Row, row};
use crate::matching::charger::{
    match_bent, match_good, match_late, match_repeated, match_unplugged, parm, parm_bent, parm_missing,
    parm_unplugged, report, report_of_fewer, report_restarted, report_unanswered, reports_are_alike,
    response_bent, start_bent, unplugged_while_sounding, validate, validate_bent, validate_busy,
    validate_half, validate_told, validate_unplugged, validate_with,
};
use crate::matching::{APPLICATION, SECURITY, matched, report as field, start, validate as signal};
use crate::world::charger_matches_at;
use control_pilot::Level;

pub(super) const AMP_MAP: &str = "CM_AMP_MAP is not spoken: no capture has it, no public way puts a map into a \
     modem, and \"success\" for a map that is not applied would be untrue; a refusal is to the other side what \
     silence is (the charger's CmAmpMap_004)";
const STRICT: &str = "with `lenient` off: by default sounds without an announcement count, for modems that pass \
     one of three";
const NAMES: &str =
    "names are not looked at: open-plc-utils' cars send theirs, and match nowhere that wants zeros";
const AWAKE: &str = "our charger never sleeps";
const SECOND: &str = "second of a pair: after CM_VALIDATE, in our reading";

pub(super) const ROWS: &[Row] = &[
    row("SECC * CmAmpMap *", No(AMP_MAP)),
    row("SECC AC CmSlacParm *", No("AC charging at a nominal duty cycle")),
    //
    row("SECC CMN CmSlacParm 1", Passes(|| parm(0), "")),
    row("SECC CMN CmSlacParm 2", Passes(|| charger_matches_at(Level::C), "")),
    row("SECC CMN CmSlacParm 3", Passes(|| charger_matches_at(Level::D), "")),
    row("SECC CMN CmSlacParm 4", Passes(parm_missing, "no request for 60 s")),
    row("SECC CMN CmSlacParm 5", Passes(|| parm_bent(APPLICATION), "")),
    row("SECC CMN CmSlacParm 6", Passes(|| parm_bent(SECURITY), "")),
    row("SECC CMN CmSlacParm 7", Passes(|| parm_unplugged(false), "")),
    row("SECC CMN CmSlacParm 8", Passes(|| parm(39), AWAKE)),
    row("SECC CMN CmSlacParm 9", Passes(|| parm_unplugged(true), AWAKE)),
    //
    row("SECC CMN AttenuationCharacterization 1", Passes(report, "")),
    row("SECC CMN AttenuationCharacterization 2", Passes(report_restarted, "")),
    row("SECC CMN AttenuationCharacterization 3", Passes(report_of_fewer, "")),
    row("SECC CMN AttenuationCharacterization 4", Passes(report_unanswered, "")),
    row("SECC CMN AttenuationCharacterization 5", Passes(|| response_bent(APPLICATION), "")),
    row("SECC CMN AttenuationCharacterization 6", Passes(|| response_bent(SECURITY), "")),
    row("SECC CMN AttenuationCharacterization 7", Passes(|| response_bent(field::CAR), "")),
    row("SECC CMN AttenuationCharacterization 8", Passes(|| response_bent(field::RUN), "")),
    row("SECC CMN AttenuationCharacterization 9", Fails(|| response_bent(field::SOURCE), NAMES)),
    row("SECC CMN AttenuationCharacterization 10", Fails(|| response_bent(field::RESPONDER), NAMES)),
    row("SECC CMN AttenuationCharacterization 11", Passes(|| response_bent(field::RESULT), "")),
    row("SECC CMN AttenuationCharacterization 12", Passes(|| start_bent(None), STRICT)),
    row("SECC CMN AttenuationCharacterization 13", Passes(|| start_bent(Some(APPLICATION)), STRICT)),
    row("SECC CMN AttenuationCharacterization 14", Passes(|| start_bent(Some(SECURITY)), STRICT)),
    row("SECC CMN AttenuationCharacterization 15", Passes(|| start_bent(Some(start::SOUNDS)), STRICT)),
    row("SECC CMN AttenuationCharacterization 16", Passes(|| start_bent(Some(start::TIMEOUT)), STRICT)),
    row("SECC CMN AttenuationCharacterization 17", Passes(|| start_bent(Some(start::RESPONSE_TYPE)), STRICT)),
    row("SECC CMN AttenuationCharacterization 18", Passes(|| start_bent(Some(start::RUN)), STRICT)),
    row("SECC CMN AttenuationCharacterization 19", Passes(unplugged_while_sounding, "")),
    row("SECC CMN AttenuationCharacterization 20", Passes(reports_are_alike, "")),
    //
    row("SECC CMN CmSlacMatch 1", Passes(|| match_good(false), "")),
    row("SECC CMN CmSlacMatch 2", Passes(|| match_good(true), SECOND)),
    row("SECC CMN CmSlacMatch 3", Passes(|| match_repeated(false), "")),
    row("SECC CMN CmSlacMatch 4", Passes(|| match_repeated(true), SECOND)),
    row("SECC CMN CmSlacMatch 5", Passes(|| match_late(false), "")),
    row("SECC CMN CmSlacMatch 6", Passes(|| match_late(true), SECOND)),
    row("SECC CMN CmSlacMatch 7", Passes(|| match_bent(APPLICATION, false), "")),
    row("SECC CMN CmSlacMatch 8", Passes(|| match_bent(APPLICATION, true), SECOND)),
    row("SECC CMN CmSlacMatch 9", Passes(|| match_bent(SECURITY, false), "")),
    row("SECC CMN CmSlacMatch 10", Passes(|| match_bent(SECURITY, true), SECOND)),
    row("SECC CMN CmSlacMatch 11", Passes(|| match_bent(matched::LENGTH, false), "")),
    row("SECC CMN CmSlacMatch 12", Passes(|| match_bent(matched::LENGTH, true), SECOND)),
    row("SECC CMN CmSlacMatch 13", Fails(|| match_bent(matched::CAR_NAME, false), NAMES)),
    row("SECC CMN CmSlacMatch 14", Fails(|| match_bent(matched::CAR_NAME, true), NAMES)),
    row("SECC CMN CmSlacMatch 15", Passes(|| match_bent(matched::CAR, false), "")),
    row("SECC CMN CmSlacMatch 16", Passes(|| match_bent(matched::CAR, true), SECOND)),
    row("SECC CMN CmSlacMatch 17", Fails(|| match_bent(matched::CHARGER_NAME, false), NAMES)),
    row("SECC CMN CmSlacMatch 18", Fails(|| match_bent(matched::CHARGER_NAME, true), NAMES)),
    row("SECC CMN CmSlacMatch 19", Passes(|| match_bent(matched::CHARGER, false), "")),
    row("SECC CMN CmSlacMatch 20", Passes(|| match_bent(matched::CHARGER, true), SECOND)),
    row("SECC CMN CmSlacMatch 21", Passes(|| match_bent(matched::RUN, false), "")),
    row("SECC CMN CmSlacMatch 22", Passes(|| match_bent(matched::RUN, true), SECOND)),
    row("SECC CMN CmSlacMatch 23", Passes(|| match_unplugged(false), "")),
    row("SECC CMN CmSlacMatch 24", Passes(|| match_unplugged(true), SECOND)),
    //
    row("SECC CMN CmValidate 1", Passes(|| validate(1), "")),
    row("SECC CMN CmValidate 2", Passes(|| validate(2), "")),
    row("SECC CMN CmValidate 3", Passes(validate_half, "")),
    row("SECC CMN CmValidate 4", Passes(|| validate_bent(signal::SIGNAL), "ignored")),
    row("SECC CMN CmValidate 5", Passes(|| validate_with(0), "ignored")),
    row("SECC CMN CmValidate 6", Passes(|| validate_with(2), "ignored")),
    row("SECC CMN CmValidate 7", Passes(|| validate_with(3), "ignored")),
    row("SECC CMN CmValidate 8", Passes(|| validate_with(4), "ignored")),
    row("SECC CMN CmValidate 9", Passes(validate_busy, "")),
    row(
        "SECC CMN CmValidate 10",
        Passes(|| validate_told(EvseValidation::Failure, ValidateResult::Failure), ""),
    ),
    row(
        "SECC CMN CmValidate 11,12",
        Passes(|| validate_told(EvseValidation::NotRequired, ValidateResult::NotRequired), ""),
    ),
    row("SECC CMN CmValidate 13", Passes(validate_unplugged, "")),
];
