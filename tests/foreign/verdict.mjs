// Outcome classes: a check throws a Verdict, and the step that was running gives it its number.

export class Verdict extends Error {
  constructor(cls, reason) {
    super(`${cls} ${reason}`);
    this.cls = cls;
    this.reason = reason;
    this.step = null;
  }
}

export const fail = (cls, reason) => {
  throw new Verdict(cls, reason);
};

export const demand = (condition, cls, reason) => {
  if (!condition) fail(cls, reason);
};

export const malformed = (reason = '') => fail('malformed', reason);

/** Runs one numbered step; whatever it refuses is refused at that step. */
export function step(number, run) {
  try {
    return run();
  } catch (error) {
    if (error instanceof Verdict && error.step === null) error.step = number;
    throw error;
  }
}

/** Gives a refusal without a reason of its own the reason that the step names. */
export function because(cls, reason, run) {
  try {
    return run();
  } catch (error) {
    if (error instanceof Verdict && error.reason === '') fail(cls, reason);
    throw error;
  }
}
