"""A charger of pyslac on one interface: sets its key, matches one car, asks its modem for the link, and stays
until SIGTERM.   pyslac-charger.py INTERFACE

What it says for others to read begins with "charger: ". Exit code: 0 matched, 1 not.
"""

import asyncio
import signal
import sys

from pyslac.enums import STATE_MATCHED
from pyslac.environment import Config
from pyslac.session import SlacEvseSession, SlacSessionController

CAR_COMES_S = 60  # how long it waits for a car


def say(words):
    print(f"charger: {words}", flush=True)


async def matched(session):
    """Waits for the end of matching, and tells whether it is a match."""
    while session.state != STATE_MATCHED:
        if session.matching_process_task.done():
            return False
        await asyncio.sleep(0.1)
    return True


async def main(interface):
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    session = SlacEvseSession("CHARGER", interface, Config(slac_init_timeout=CAR_COMES_S))
    controller = SlacSessionController()
    await session.evse_set_key()
    say(f"{session.evse_mac.hex(':')} has set its key and waits for a car")
    await controller.process_cp_state(session, "B")
    if not await matched(session):
        say("NOT MATCHED")
        return 1
    say(f"MATCHED with {session.pev_mac.hex(':')}")
    session.reset_socket()  # frames that came since the last one it wanted
    active = await session.is_link_status_active()
    say(f"its modem {'answers' if active else 'does not answer'} when asked for the link")
    await stop.wait()
    await controller.process_cp_state(session, "A")
    say("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
