import { answerOrders } from './orders.ts';
import { TASKS } from './tasks.ts';

/** The program of a process that reads foreign text. */
answerOrders(TASKS);
