import { createLogUpdate } from 'log-update';
import type { WriteStream } from 'node:tty';
import pc from 'picocolors';
import { printableIn } from '../../core/printable.ts';
import type { Client } from '../client.ts';
import { now } from '../clock.ts';
import { readRelease } from '../operations.ts';
import { nounOf, type ReleaseShown } from '../release-shown.ts';
import { type StreamedEvent, toLine } from './events.ts';
import { type Listeners, persistently } from './follow.ts';
import { picture, type Scene } from './picture.ts';

const FRAME_MS = 150;
const KEPT_EVENTS = 20;
/** Not worth a line on a small screen: the row of the environment says it already. */
const TOO_SMALL = ['StepStarted', 'StepSucceeded', 'PromotionResumed', 'StepWaiting'];

export interface Screen extends Listeners {
  /** Draws the last picture and leaves it standing. */
  end(release?: ReleaseShown): void;
}

/** The live view: one picture that is redrawn in place, several times a second. */
export function openScreen(
  client: Client,
  first: ReleaseShown,
  stream: WriteStream,
  colors: boolean,
  signal: AbortSignal,
): Screen {
  const draw = createLogUpdate(stream);
  // What others wrote must not move the picture: see safeWriter, which pictures do not pass.
  const scene: Scene = { release: printableIn(first), events: [] };
  const palette = pc.createColors(colors);
  let tick = 0;
  let height = 0;
  const show = (): void => {
    const { columns, rows } = stream;
    const lines = picture(scene, { columns, rows, now: now(), tick, colors: palette });
    // log-update redraws the lines that differ; when there are more or fewer of them, it loses its place on the screen.
    if (lines.length !== height) draw.clear();
    height = lines.length;
    draw(lines.join('\n'));
  };
  const timer = setInterval(() => {
    tick++;
    show();
  }, FRAME_MS);
  // A terminal that changes its width breaks our lines elsewhere: how many there are is known no more.
  const onResize = (): void => {
    stream.write('\u001B[2J\u001B[H');
    draw.done();
    show();
  };
  stream.on('resize', onResize);
  const refresh = freshener(client, scene, signal);
  show();
  return {
    onEvent(event: StreamedEvent) {
      if (!TOO_SMALL.includes(event.node.__typename)) scene.events.push(printableIn(toLine(event, nounOf(first))));
      scene.events.splice(0, scene.events.length - KEPT_EVENTS);
      refresh();
    },
    onLost(why) {
      scene.lost = printableIn(why);
    },
    onBack() {
      scene.lost = undefined;
      refresh();
    },
    end(release) {
      clearInterval(timer);
      stream.off('resize', onResize);
      if (release) Object.assign(scene, { release: printableIn(release), lost: undefined });
      show();
      draw.done();
    },
  };
}

/**
 * Reads the release again after an event, one reading at a time: a burst of events costs two readings, not one each. What
 * a status means is decided by the server alone.
 */
function freshener(client: Client, scene: Scene, signal: AbortSignal): () => void {
  let reading = false;
  let again = false;
  const read = async (): Promise<void> => {
    reading = true;
    do {
      again = false;
      const release = await persistently(() => readRelease(client, scene.release.id, signal), signal);
      if (release) scene.release = printableIn(release);
    } while (again && !signal.aborted);
    reading = false;
  };
  return () => {
    if (reading) again = true;
    // Whatever is wrong with this reading shows in the subscription, or at the end.
    else read().catch(() => (reading = false));
  };
}
