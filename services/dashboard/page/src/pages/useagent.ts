/** An agent with its definition, for its page and for a new task. */
import { useEffect, useState } from "preact/hooks";
import { api, asProblem } from "../api/client";
import type { Agent, Problem } from "../api/types";

/** The definition has no topic; it is read once, and again when it was announced anew. Without a name nothing is. */
export function useAgent(name: string, version: string): [Agent | null, Problem | null, () => void] {
  const [agent, setAgent] = useState<Agent | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let gone = false;
    if (name === "") return;
    api.agent(name).then(
      (read) => {
        if (gone) return;
        setAgent(read);
        setProblem(null);
      },
      (error: unknown) => !gone && setProblem(asProblem(error)),
    );
    return () => {
      gone = true;
    };
  }, [name, version, round]);
  return [agent, problem, () => setRound(round + 1)];
}
