//! The whole listener with its modem: frames in, observations and frames to the modem out.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use firmware::Chip;
use listen::story::Side;
use listen::{Content, Event};
use machine::{Cx, Duration, Instant, Machine, whole};
use roles::{Listen, ListenStorage, ListenWatch, MAX_FRAME, Mac};

/// The role's memory, borrowed for the whole run.
static mut STORAGE: ListenStorage = ListenStorage::new();
static mut LISTEN: MaybeUninit<Listen<'static>> = MaybeUninit::uninit();

/// Writes the observations as bytes, as a console would: names, and each story's numbers.
struct Console;

impl ListenWatch for Console {
    fn heard(&self, event: &Event<'_>) {
        firmware::write(&event.when.frame.to_le_bytes());
        match event.content {
            Content::Mme(frame) => firmware::write(&frame.mm_type.0.to_le_bytes()),
            Content::Message { name, payload, .. } => {
                firmware::write(name.unwrap_or_default().as_bytes());
                firmware::write(payload);
            }
            Content::Over { talk, .. } => {
                let story = talk.story();
                let end = story.end();
                firmware::write(&[u8::from(end.by == Some(Side::Car)), u8::from(end.is_orderly)]);
                firmware::write(end.phase.name().as_bytes());
                firmware::write(&story.energy_mwh().to_le_bytes());
                firmware::write(&story.present_mv.max.to_le_bytes());
                firmware::write(&story.evcc_id);
            }
            _ => firmware::write(&[0]),
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let mut buffer = [0; firmware::SIZE];
    let mut chip = Chip([0; 8]);
    let mut now = Instant::ZERO;
    // SAFETY: one thread, and this is the only place where the two statics are used.
    let (storage, place) = unsafe { (&mut *(&raw mut STORAGE), &mut *(&raw mut LISTEN)) };
    let listen = place.write(Listen::new(Mac([2, 0, 0, 0, 0, 1]), storage));
    listen.watch(&Console);
    loop {
        let input = firmware::read(&mut buffer);
        let Some((head, frame)) = input.split_first_chunk::<8>() else { continue };
        chip.0 = *head;
        let [elapsed, what, ..] = *head;
        now += Duration::from_millis(u64::from(elapsed));
        let mut cx = Cx { now, entropy: &mut chip };
        match what {
            0 => listen.join(&mut cx),
            1 => listen.finish(),
            _ => listen.handle(&mut cx, frame),
        }
        listen.handle_timeout(&mut cx);
        let mut out = [0; MAX_FRAME];
        while let Some((length, ())) = whole(listen.poll_transmit(&mut out)) {
            firmware::write(out.get(..length).unwrap_or_default());
        }
        while let Some(event) = listen.poll_event() {
            firmware::write(&[u8::from(matches!(event, roles::ListenEvent::Learned(_)))]);
        }
        firmware::write(&[u8::from(listen.status().has_key), u8::from(listen.has_joined())]);
        firmware::write(&listen.poll_timeout().map_or(0, |due| due.at.as_micros()).to_le_bytes());
    }
}
