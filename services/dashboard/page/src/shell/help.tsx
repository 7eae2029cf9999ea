/** What the keys do. */
import { Kbd } from "../ui/basic";
import { Dialog } from "../ui/dialog";
import { helpOpen, PLACES } from "./keys";

const KEYS: [string, [string[], string][]][] = [
  [
    "Everywhere",
    [
      [["/"], "Search"],
      [["?"], "This help"],
      [["Esc"], "Close what is open"],
      ...Object.entries(PLACES).map(([key, { name }]): [string[], string] => [["g", key], name]),
    ],
  ],
  [
    "Tables",
    [
      [["↑", "↓"], "Walk the rows, also with j and k"],
      [["Enter"], "Open the row"],
      [["x"], "Select the row, where rows can be selected"],
    ],
  ],
  [
    "Approvals",
    [
      [["j", "k"], "Next, previous"],
      [["a"], "Approve"],
      [["d"], "Deny"],
      [["e"], "Edit the arguments, then approve"],
    ],
  ],
  [
    "Task",
    [
      [["1", "…", "6"], "Tabs"],
      [["m"], "Write a message"],
    ],
  ],
];

export function Help() {
  if (!helpOpen.value) return null;
  return (
    <Dialog
      title="Keys"
      wide
      onClose={() => {
        helpOpen.value = false;
      }}
    >
      <div class="help">
        {KEYS.map(([name, keys]) => (
          <section key={name}>
            <h3>{name}</h3>
            <dl>
              {keys.map(([combination, what]) => (
                <div key={what}>
                  <dt>
                    {combination.map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
