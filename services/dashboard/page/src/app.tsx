/** Which view is shown for which address. */
import type { ComponentChildren } from "preact";
import { useErrorBoundary } from "preact/hooks";
import { asProblem } from "./api/client";
import { seesAll, useTitle } from "./config";
import { lazy } from "./lazy";
import { href, matchRoute, place } from "./lib/url";
import { OverviewPage } from "./pages/overview";
import { Shell } from "./shell/shell";
import { EmptyState, ProblemBox } from "./ui/basic";

const AgentPage = lazy(() => import("./pages/agent").then((m) => m.AgentPage));
const AgentsPage = lazy(() => import("./pages/agents").then((m) => m.AgentsPage));
const ApprovalsPage = lazy(() => import("./pages/approvals").then((m) => m.ApprovalsPage));
const BatchPage = lazy(() => import("./pages/batch").then((m) => m.BatchPage));
const BatchesPage = lazy(() => import("./pages/batches").then((m) => m.BatchesPage));
const NewTaskPage = lazy(() => import("./pages/newtask").then((m) => m.NewTaskPage));
const SystemPage = lazy(() => import("./pages/system").then((m) => m.SystemPage));
const TaskPage = lazy(() => import("./pages/task").then((m) => m.TaskPage));
const TasksPage = lazy(() => import("./pages/tasks").then((m) => m.TasksPage));
const WorkersPage = lazy(() => import("./pages/workers").then((m) => m.WorkersPage));

const ROUTES = [
  ["/", "overview"],
  ["/tasks", "tasks"],
  ["/tasks/new", "new"],
  ["/tasks/:id", "task"],
  ["/approvals", "approvals"],
  ["/batches", "batches"],
  ["/batches/:id", "batch"],
  ["/workers", "workers"],
  ["/agents", "agents"],
  ["/agents/:name", "agent"],
  ["/system", "system"],
] as const;

export function App() {
  const { path } = place.value;
  return (
    <Shell>
      <Boundary key={path}>
        <View path={path} />
      </Boundary>
    </Shell>
  );
}

function View({ path }: { path: string }) {
  const match = matchRoute(path, ROUTES);
  switch (match?.name) {
    case "overview":
      return seesAll() ? <OverviewPage /> : <TasksPage />;
    case "tasks":
      return <TasksPage />;
    case "new":
      return <NewTaskPage />;
    case "task":
      return <TaskPage id={match.params["id"] ?? ""} />;
    case "approvals":
      return <ApprovalsPage />;
    case "batches":
      return <BatchesPage />;
    case "batch":
      return <BatchPage id={match.params["id"] ?? ""} />;
    case "workers":
      return <WorkersPage />;
    case "agents":
      return <AgentsPage />;
    case "agent":
      return <AgentPage name={match.params["name"] ?? ""} />;
    case "system":
      return <SystemPage />;
    default:
      return <NotFound />;
  }
}

function NotFound() {
  useTitle("Not found");
  return (
    <EmptyState icon="search" page title="There is no such page" action={<a href={href("/")}>Go to the overview</a>}>
      The address may be mistyped, or the task may have expired.
    </EmptyState>
  );
}

/** A view that breaks takes nothing else with it. */
function Boundary({ children }: { children: ComponentChildren }) {
  const [error, reset] = useErrorBoundary() as [unknown, () => void];
  if (error !== undefined) return <ProblemBox problem={asProblem(error)} again={reset} />;
  return <>{children}</>;
}
